//! REST, WebSocket, live delivery and the producer.
