//! A producer that goes on over restarts of the broker writes nothing twice and nothing out of order.

use rdkafka::producer::Producer;

use crate::support::{TestBroker, create_topic, idempotent_producer, read_all, send};
use milena_broker::BrokerConfig;

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_goes_on_over_restarts() {
    let mut broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let address = broker.address();
    let producer = idempotent_producer(&broker.client());
    let mut expected = Vec::new();
    for round in 0..4 {
        for i in 0..20 {
            let value = format!("round {round} record {i}");
            expected.push((0, send(&producer, "letters", 0, &value).await, value));
        }
        broker.broker.stop().await;
        let mut config = BrokerConfig::new(broker.folder.path());
        config.listen = address;
        broker.broker = milena_broker::start(config).await.expect("restarted");
    }
    assert!(producer.client().fatal_error().is_none());
    assert_eq!(read_all(&broker.client(), "letters", 1, expected.len()).await, expected);
}
