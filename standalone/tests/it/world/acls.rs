//! Rights on Apache Kafka, given to its users by the request that librdkafka has no words for here, and the
//! table of them in the manual.

use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::{
    ApiKey, CreateAclsRequest, CreateAclsResponse, RequestHeader, ResponseHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MANUAL: &str = include_str!("../../../../docs/OPERATIONS.md");
const VERSION: i16 = 3;
const LITERAL: i8 = 3;
const ALLOW: i8 = 3;

/// One operation on one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    /// `topic` or `group`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) operation: String,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} {}", self.operation, self.kind, self.name)
    }
}

/// The manual's table: each principal with its rights.
pub(crate) fn of_the_manual() -> Vec<(String, Vec<Right>)> {
    let (_, table) = MANUAL.split_once("| principal | resource | operations |").expect("the table");
    let mut all: Vec<(String, Vec<Right>)> = Vec::new();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        if !cells[1].is_empty() {
            all.push((cells[1].trim_start_matches("User:milena-").to_owned(), Vec::new()));
        }
        let (_, rights) = all.last_mut().expect("a principal");
        let things: Vec<(&str, String)> = match cells[2].split_once(" `") {
            Some((kind, name)) => vec![(kind, name.to_owned())],
            None => {
                assert_eq!(cells[2], "the three topics");
                TOPICS.map(|topic| ("topic", topic.to_owned())).into()
            }
        };
        for (kind, name) in things {
            rights.extend(cells[3].split(", ").map(|operation| Right {
                kind: kind.to_owned(),
                name: name.clone(),
                operation: operation.to_owned(),
            }));
        }
    }
    all
}

/// As the settings name them when nobody changes that.
pub(crate) const TOPICS: [&str; 3] = ["chat_messages", "chat_messages.dead", "chat_signals"];

/// Gives rights to users, over a listener at which that is allowed.
pub(crate) async fn allow(brokers: &str, rights: &[(String, Right)]) {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let creations = rights.iter().map(|(user, right)| {
        let kind = match right.kind.as_str() {
            "topic" => 2,
            "group" => 3,
            other => panic!("{other}"),
        };
        let operation = match right.operation.as_str() {
            "Read" => 3,
            "Write" => 4,
            "Create" => 5,
            "Delete" => 6,
            "Alter" => 7,
            "Describe" => 8,
            "DescribeConfigs" => 10,
            "AlterConfigs" => 11,
            other => panic!("{other}"),
        };
        AclCreation::default()
            .with_resource_type(kind)
            .with_resource_name(text(&right.name))
            .with_resource_pattern_type(LITERAL)
            .with_principal(text(&format!("User:{user}")))
            .with_host(text("*"))
            .with_operation(operation)
            .with_permission_type(ALLOW)
    });
    let request = CreateAclsRequest::default().with_creations(creations.collect());
    let header = RequestHeader::default()
        .with_request_api_key(ApiKey::CreateAcls as i16)
        .with_request_api_version(VERSION)
        .with_correlation_id(1);
    let mut message = Vec::new();
    header.encode(&mut message, ApiKey::CreateAcls.request_header_version(VERSION)).unwrap();
    request.encode(&mut message, VERSION).unwrap();
    let mut connection = TcpStream::connect(brokers).await.unwrap();
    connection.write_i32(message.len() as i32).await.unwrap();
    connection.write_all(&message).await.unwrap();
    let length = connection.read_i32().await.unwrap();
    let mut answer = vec![0; length as usize];
    connection.read_exact(&mut answer).await.unwrap();
    let mut answer = std::io::Cursor::new(answer);
    ResponseHeader::decode(&mut answer, ApiKey::CreateAcls.response_header_version(VERSION)).unwrap();
    let answer = CreateAclsResponse::decode(&mut answer, VERSION).unwrap();
    assert_eq!(answer.results.len(), rights.len());
    assert!(answer.results.iter().all(|result| result.error_code == 0), "{:?}", answer.results);
}
