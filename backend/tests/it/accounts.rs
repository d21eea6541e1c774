//! Registering, signing in and out, sessions, and what browsers may do with the cookie.

use std::time::{Duration, Instant};

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::Node;
use crate::socket::Socket;

async fn register(node: &Node, body: Value) -> Answer {
    node.call(Method::POST, "/api/v1/register", None, Some(&body)).await
}

#[tokio::test]
async fn registering_signs_in() {
    let node = Node::start().await;
    let answer = register(
        &node,
        json!({"username": "Franz.K", "password": "correct horse", "display_name": " Franz Kafka "}),
    )
    .await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let [cookie, device] = cookies[..] else { panic!("{cookies:?}") };
    let (cookie, device) = (cookie.to_str().unwrap().to_owned(), device.to_str().unwrap().to_owned());
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.ok(201);
    assert_eq!(
        (&body["user"]["username"], &body["user"]["display_name"]),
        (&json!("Franz.K"), &json!("Franz Kafka"))
    );
    let token = body["token"].as_str().unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(cookie, format!("milena_session={token}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"));
    assert!(
        device.ends_with("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax") && !device.contains("ranz")
    );
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'), "{body}");

    let me = node.http.get(node.url("/api/v1/me")).bearer_auth(token).send().await.unwrap();
    let mut me = Answer::of(me).await.ok(200);
    let prefix = me.as_object_mut().unwrap().remove("client_id_prefix").unwrap();
    assert_eq!(prefix.as_str().unwrap().len(), 30);
    assert_eq!(me, body["user"]);
    assert!(me["created_at"].is_string());

    let taken = register(&node, json!({"username": "fRANZ.k", "password": "correct horse"})).await;
    assert_eq!(taken.problem(409, "username_taken")["field"], "username");
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named() {
    let node = Node::start().await;
    for (body, field, detail) in [
        (json!({"password": "correct horse"}), "username", "username is missing"),
        (json!({"username": null, "password": "correct horse"}), "username", "username is missing"),
        (
            json!({"username": 5, "password": "correct horse"}),
            "username",
            "username must be a string, not a number",
        ),
        (
            json!({"username": "ab", "password": "correct horse"}),
            "username",
            "username must be 3 to 32 characters (got 2)",
        ),
        (
            json!({"username": "a b c", "password": "correct horse"}),
            "username",
            "username may only have letters a-z, digits, '.', '_' and '-'",
        ),
        (json!({"username": "abc"}), "password", "password is missing"),
        (
            json!({"username": "abc", "password": "short"}),
            "password",
            "password must be 8 to 256 characters (got 5)",
        ),
        (
            json!({"username": "abc", "password": "correct horse", "display_name": "  "}),
            "display_name",
            "display_name must be 1 to 64 characters (got 0)",
        ),
        (
            json!({"username": "abc", "password": "correct horse", "display_name": ["x"]}),
            "display_name",
            "display_name must be a string, not an array",
        ),
    ] {
        register(&node, body).await.field(field, detail);
    }
    // A later version of a client may send more.
    register(&node, json!({"username": "abc", "password": "correct horse", "colour": "blue"})).await.ok(201);
    node.stop().await;
}

#[tokio::test]
async fn unknown_users_and_wrong_passwords_look_the_same() {
    let node = Node::start().await;
    node.register("anna").await;
    let right = node.sign_in("ANNA", "correct horse").await;
    assert!(right.header("set-cookie").starts_with("milena_session="));
    assert_eq!(right.ok(200)["user"]["username"], "anna");

    let (wrong, unknown) =
        (node.sign_in("anna", "wrong horse").await, node.sign_in("nobody", "wrong horse").await);
    assert!(wrong.header("set-cookie").is_empty());
    assert_eq!(wrong.text, unknown.text);
    wrong.problem(401, "bad_credentials");
    for (username, password) in
        [("anna", ""), ("anna", "short"), ("", "correct horse"), ("a\0b", "correct horse")]
    {
        node.sign_in(username, password).await.problem(401, "bad_credentials");
    }
    let long = "x".repeat(100_000);
    node.sign_in("anna", &long).await.problem(401, "bad_credentials");

    // The time too: the median of some attempts, with generous room for a busy machine.
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        for (times, username) in times.iter_mut().zip(["anna", "nobody"]) {
            let started = Instant::now();
            node.sign_in(username, "wrong horse").await.problem(401, "bad_credentials");
            times.push(started.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let (low, high) = (known.min(unknown), known.max(unknown));
    assert!(low * 3 > high && low > Duration::from_millis(2), "known {known:?}, unknown {unknown:?}");
    node.stop().await;
}

#[tokio::test]
async fn without_a_session_there_is_nothing() {
    let node = Node::start().await;
    let id = uuid::Uuid::now_v7();
    for (method, path) in [
        (Method::GET, "/api/v1/me".to_owned()),
        (Method::POST, "/api/v1/logout".to_owned()),
        (Method::PATCH, "/api/v1/me".to_owned()),
        (Method::PUT, "/api/v1/me/password".to_owned()),
        (Method::GET, "/api/v1/sessions".to_owned()),
        (Method::DELETE, "/api/v1/sessions".to_owned()),
        (Method::DELETE, format!("/api/v1/sessions/{id}")),
        (Method::GET, "/api/v1/users?query=a".to_owned()),
        (Method::GET, format!("/api/v1/users/{id}")),
        (Method::GET, "/api/v1/conversations".to_owned()),
        (Method::GET, format!("/api/v1/conversations/{id}")),
        (Method::GET, format!("/api/v1/conversations/{id}/messages")),
        (Method::POST, format!("/api/v1/conversations/{id}/messages")),
        (Method::POST, format!("/api/v1/users/{id}/messages")),
        (Method::PUT, format!("/api/v1/conversations/{id}/read")),
    ] {
        let answer = node.call(method.clone(), &path, None, None).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{method} {path}");
        answer.problem(401, "unauthenticated");
    }
    for authorization in
        ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", &format!("Bearer {}", "A".repeat(43))]
    {
        let request = node.http.get(node.url("/api/v1/me")).header(header::AUTHORIZATION, authorization);
        Answer::of(request.send().await.unwrap()).await.problem(401, "unauthenticated");
    }
    node.stop().await;
}

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

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let login = json!({"username": "anna", "password": "correct horse"});
    let phone =
        node.http.post(node.url("/api/v1/login")).header(header::USER_AGENT, "Phone/1.0").json(&login);
    let phone = Answer::of(phone.send().await.unwrap()).await.ok(200)["token"].as_str().unwrap().to_owned();

    let list = node.get(&anna, "/api/v1/sessions").await.ok(200);
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let (current, other): (Vec<&Value>, Vec<&Value>) =
        sessions.iter().partition(|session| session["current"] == true);
    assert_eq!((current.len(), &other[0]["user_agent"]), (1, &json!("Phone/1.0")));
    for field in ["created_at", "last_seen_at", "expires_at"] {
        assert!(other[0][field].as_str().unwrap().ends_with('Z'));
    }

    let path = format!("/api/v1/sessions/{}", other[0]["id"].as_str().unwrap());
    // Nobody ends the session of somebody else.
    node.call(Method::DELETE, &path, Some(&ben), None).await.problem(404, "not_found");
    node.call(Method::DELETE, "/api/v1/sessions/x", Some(&anna), None).await.field("id", "id must be a UUID");
    node.call(Method::DELETE, &path, Some(&anna), None).await.ok(204);
    node.call(Method::DELETE, &path, Some(&anna), None).await.problem(404, "not_found");
    let gone = node.http.get(node.url("/api/v1/me")).bearer_auth(&phone).send().await.unwrap();
    Answer::of(gone).await.problem(401, "unauthenticated");

    let out = node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await;
    assert!(out.header("set-cookie").starts_with("milena_session=; Path=/; Max-Age=0;"));
    out.ok(204);
    node.get(&anna, "/api/v1/me").await.problem(401, "unauthenticated");
    node.get(&ben, "/api/v1/me").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn too_many_attempts_have_to_wait() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_burst = 3;
        settings.limits.sign_in_per_minute = 1;
    })
    .await;
    let anna = node.register("anna").await;
    for _ in 0..2 {
        node.sign_in("anna", "wrong horse").await.problem(401, "bad_credentials");
    }
    let refused = node.sign_in("anna", "correct horse").await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    let body = refused.problem(429, "rate_limited");
    let ms = body["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_001).contains(&ms) && seconds == ms.div_ceil(1_000), "{ms} ms, {seconds} s");
    // Who is signed in notices nothing, and another address neither: the proxy on this machine names it.
    node.get(&anna, "/api/v1/me").await.ok(200);
    let login = json!({"username": "anna", "password": "correct horse"});
    let other = node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", "192.0.2.7").json(&login);
    Answer::of(other.send().await.unwrap()).await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn an_account_has_its_own_limit_whoever_tries_from_wherever() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_account_burst = 3;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let (anna, _) = (node.register("anna").await, node.register("ben").await);
    let attempt = async |username: &str, from: usize| {
        let login = json!({"username": username, "password": "wrong horse"});
        let address = format!("192.0.2.{from}");
        let request =
            node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", address).json(&login);
        Answer::of(request.send().await.unwrap()).await
    };
    // Nobody's account is limited like somebody's: the limit does not tell which exist.
    for username in ["anna", "nobody"] {
        for from in 0..3 {
            attempt(username, from).await.problem(401, "bad_credentials");
        }
        attempt(username, 4).await.problem(429, "rate_limited");
    }
    attempt("ben", 4).await.problem(401, "bad_credentials");
    node.get(&anna, "/api/v1/me").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn without_the_database_who_was_here_lately_stays_signed_in() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let login = node.sign_in("anna", "correct horse").await.ok(200);
    for user in [&anna, &ben] {
        node.get(user, "/api/v1/me").await.ok(200);
    }
    node.call(Method::POST, "/api/v1/logout", Some(&ben), None).await.ok(204);
    node.stop_database().await;

    node.get(&anna, "/api/v1/me").await.ok(200);
    Socket::sign_in(&node, &anna).await;
    for refused in [
        // Ended while it could still be asked.
        node.get(&ben, "/api/v1/me").await,
        // Never seen.
        Answer::of(
            node.http
                .get(node.url("/api/v1/me"))
                .bearer_auth(login["token"].as_str().unwrap())
                .send()
                .await
                .unwrap(),
        )
        .await,
        node.sign_in("anna", "correct horse").await,
        node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await,
        node.get(&anna, "/api/v1/users?query=a").await,
    ] {
        assert_eq!(refused.header("retry-after"), "1");
        refused.problem(503, "store_unavailable");
    }
    // The answer may be a second old.
    let state = node.until(async |node| {
        let state = node.get(&anna, "/readyz").await.ok(200);
        (state["database"] == "unavailable").then_some(state)
    });
    assert_eq!(
        state.await,
        json!({"ready": true, "database": "unavailable", "log": "ok", "disk": "ok", "events": "ok"})
    );
    node.stop().await;
}
