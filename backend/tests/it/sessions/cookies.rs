//! What browsers may do with the cookie.

use reqwest::header;
use serde_json::json;

use crate::client::Answer;
use crate::node::Node;

#[tokio::test]
async fn the_cookie_needs_an_origin_of_this_server_to_change_something() {
    let node = Node::start_with(|settings| {
        settings.http.allowed_origins = vec!["https://chat.example.org".to_owned()];
    })
    .await;
    let anna = node.register("anna").await;
    let cookie = format!("theme=dark; milena_session={}", anna.token);
    let own = format!("http://{}", node.address);
    let path = format!("/api/v1/users/{}/messages", anna.id);
    let send = async |origin: Option<&str>, cookie: &str| {
        let mut request =
            node.http.post(node.url(&path)).header(header::COOKIE, cookie).json(&json!({"body": "note"}));
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    send(Some(&own), &cookie).await.ok(202);
    send(Some("https://chat.example.org"), &cookie).await.ok(202);
    for origin in
        [None, Some("null"), Some("https://evil.example"), Some(&*own.replace("127.0.0.1", "127.0.0.2"))]
    {
        send(origin, &cookie).await.problem(403, "forbidden_origin");
    }
    send(Some(&own), "theme=dark").await.problem(401, "unauthenticated");

    // Reading needs none, since no page can read a foreign answer; a token needs none, since no page has it.
    let me = node.http.get(node.url("/api/v1/me")).header(header::COOKIE, &cookie);
    Answer::of(me.send().await.unwrap()).await.ok(200);
    let with_token = node.http.post(node.url(&path)).bearer_auth(&anna.token).json(&json!({"body": "note"}));
    Answer::of(with_token.send().await.unwrap()).await.ok(202);

    // A foreign page cannot sign somebody in either.
    let login = json!({"username": "anna", "password": "correct horse"});
    for path in ["/api/v1/login", "/api/v1/register"] {
        let foreign =
            node.http.post(node.url(path)).header(header::ORIGIN, "https://evil.example").json(&login);
        Answer::of(foreign.send().await.unwrap()).await.problem(403, "forbidden_origin");
    }
    node.stop().await;
}

#[tokio::test]
async fn cookies_are_secure_behind_tls_or_always() {
    for (setting, forwarded, secure) in [
        (milena_settings::SecureCookies::Auto, Some("https"), true),
        (milena_settings::SecureCookies::Auto, None, false),
        (milena_settings::SecureCookies::Always, None, true),
        (milena_settings::SecureCookies::Never, Some("https"), false),
    ] {
        let node = Node::start_with(|settings| settings.http.secure_cookies = setting).await;
        node.register("anna").await;
        let login = json!({"username": "anna", "password": "correct horse"});
        let mut request = node.http.post(node.url("/api/v1/login")).json(&login);
        if let Some(scheme) = forwarded {
            request = request.header("x-forwarded-proto", scheme);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert_eq!(cookie.ends_with("; Secure"), secure, "{setting:?} {forwarded:?}: {cookie}");
        }
        let name = if secure { "__Host-milena_session=" } else { "milena_session=" };
        assert!(answer.header("set-cookie").starts_with(name), "{setting:?} {forwarded:?}");
        // Over TLS nobody is believed by the name that a neighbour can plant.
        let token = answer.ok(200)["token"].as_str().unwrap().to_owned();
        let mut me =
            node.http.get(node.url("/api/v1/me")).header("cookie", format!("milena_session={token}"));
        if let Some(scheme) = forwarded {
            me = me.header("x-forwarded-proto", scheme);
        }
        let status = me.send().await.unwrap().status();
        assert_eq!(status, if secure { 401 } else { 200 }, "{setting:?} {forwarded:?}");
        node.stop().await;
    }
}
