//! An HTTP client that says what it expects.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::node::{Node, User};

/// An answer, read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body of a success.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem with this code, in all the parts that every problem has; gives its body.
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        let title = StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
        assert_eq!(
            (&body["code"], &body["status"], &body["title"], &body["type"]),
            (&json!(code), &json!(status), &json!(title), &json!(format!("urn:milena:error:{code}"))),
        );
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
        body
    }

    /// A refused field with this sentence.
    pub(crate) fn field(self, field: &str, detail: &str) {
        let body = self.problem(400, "invalid_field");
        assert_eq!((&body["field"], &body["detail"]), (&json!(field), &json!(detail)));
    }
}

impl Node {
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        user: Option<&User>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.http.request(method, self.url(path));
        if let Some(user) = user {
            request = request.bearer_auth(&user.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, user: &User, path: &str) -> Answer {
        self.call(Method::GET, path, Some(user), None).await
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.call(Method::POST, "/api/v1/login", None, Some(&body)).await
    }
}
