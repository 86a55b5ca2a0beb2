//! How people log in before they connect: what of it is in a scenario.

use proptest::prelude::*;
use serde_json::{Value, json};
use sockrates::document::Source;
use sockrates::importer::{Imported, har};
use sockrates::scenario::{Surroundings, read};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLW9m";

fn headers(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn time(at: f64) -> String {
    format!("2026-01-01T10:00:{at:06.3}Z")
}

/// A request of a page at this second: what it says, and what is answered.
fn page(
    at: f64,
    what: &str,
    asked: &[(&str, &str)],
    body: &str,
    status: u16,
    answered: &[(&str, &str)],
    content: &str,
) -> Value {
    let (method, path) = what.split_once(' ').expect("a method and a path");
    let url = if path.starts_with('/') { format!("http://localhost:3000{path}") } else { path.to_owned() };
    let posted = (!body.is_empty()).then(|| json!({ "text": body }));
    json!({
        "startedDateTime": time(at), "time": 20,
        "request": { "method": method, "url": url, "headers": headers(asked), "postData": posted },
        "response": { "status": status, "headers": headers(answered), "content": { "text": content } }
    })
}

/// A tab that connects at this second with these headers and CONNECT, and says a word.
fn tab(at: f64, query: &str, asked: &[(&str, &str)], connect: &str, says: &str) -> Value {
    let begin = "2026-01-01T10:00:00Z".parse::<jiff::Timestamp>().expect("a time").as_second() as f64 + at;
    let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let said = [
        ("receive", 0.01, open.to_owned()),
        ("send", 0.02, connect.to_owned()),
        ("receive", 0.03, r#"40{"sid":"b"}"#.to_owned()),
        ("send", 2.0, says.to_owned()),
    ];
    let messages: Vec<_> = said
        .iter()
        .map(|(kind, after, data)| json!({ "type": kind, "time": begin + after, "opcode": 1, "data": data }))
        .collect();
    let url = format!("ws://localhost:3000/socket.io/?EIO=4&transport=websocket{query}");
    let request = json!({ "method": "GET", "url": url, "headers": headers(asked) });
    json!({ "startedDateTime": time(at), "time": 5000, "request": request, "response": { "status": 101 }, "_webSocketMessages": messages })
}

fn imported(entries: &[Value]) -> Imported {
    let text = json!({ "log": { "entries": entries } }).to_string();
    har::import(text.as_bytes(), "x.har", "-").expect("it can be imported")
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn who_logs_in_by_json_says_the_token_of_the_answer_and_the_password_is_filled_in() {
    let person = |at: f64, name: &str, password: &str, token: &str| {
        let body = json!({ "username": name, "password": password, "remember": true }).to_string();
        let connect = format!(r#"40{{"token":"{token}","client":"page"}}"#);
        [
            page(at, "GET /", &[], "", 200, &[HTML], "<p>welcome"),
            page(at + 0.1, "GET /logo.png", &[], "", 200, &[("Content-Type", "image/png")], "x"),
            page(at + 0.2, "GET /api/rooms", &[], "", 200, &[JSON], r#"[{"id":"lobby"}]"#),
            page(
                at + 1.0,
                "POST /api/session",
                &[JSON],
                &body,
                200,
                &[JSON],
                &json!({ "user": { "token": token } }).to_string(),
            ),
            tab(at + 2.0, "", &[], &connect, &format!(r#"42["status","{name}"]"#)),
        ]
    };
    let other = JWT.replace("c2ln", "Zm9v");
    let both = [person(1.0, "ann", "hunter2", JWT), person(10.0, "bob", "s3same", &other)].concat();
    let text = imported(&both).text;
    has(
        &text,
        &[
            "# Fill in what is hidden, or give it: --set my_password=… --set my_password_2=…\n",
            "my_password: fill me in",
            "my_password_2: fill me in",
            "2 tabs, each of which sent `status` after `POST /api/session`",
            "rows: [{ username: ann }, { username: bob }]",
            r#"my_passwords: ["${my_password}", "${my_password_2}"]"#,
            r#"- http: { post: /api/session, headers: { Content-Type: application/json }, body: { username: "${row.username}", password: "${my_passwords[n % 2]}", remember: true }, expect: { status: 200 }, capture: from_session }"#,
            r#"connect: { auth: { token: "${from_session.user.token}", client: page } }"#,
            r#"emit: { event: status, args: ["${row.username}"] }"#,
        ],
    );
    assert_eq!(text.matches("http:").count() - text.matches("http://").count(), 1, "{text}");
    for secret in ["hunter2", "s3same", "eyJ"] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[test]
fn a_form_with_a_hidden_token_is_posted_once_and_neither_what_was_mistyped_nor_a_logout_is() {
    let form = |token: &str| {
        format!(r#"<form><input type="hidden" name="_csrf" value="{token}"><input name="user">"#)
    };
    let cookie = |value: &'static str| ("Cookie", value);
    let sets = |value: &'static str| ("Set-Cookie", value);
    let text = imported(&[
        page(
            1.0,
            "GET /login",
            &[],
            "",
            200,
            &[HTML, sets("sid=anonymous1; HttpOnly")],
            &form("a1b2c3d4e5f6g7"),
        ),
        page(
            2.0,
            "POST /login",
            &[FORM, cookie("sid=anonymous1")],
            "_csrf=a1b2c3d4e5f6g7&user=ann&pass=wrong",
            302,
            &[("Location", "/login?wrong")],
            "",
        ),
        page(
            3.0,
            "POST /login",
            &[FORM, cookie("sid=anonymous1")],
            "_csrf=a1b2c3d4e5f6g7&user=ann&pass=first",
            302,
            &[("Location", "/"), sets("sid=of-ann-12345")],
            "",
        ),
        page(
            4.0,
            "POST /logout",
            &[cookie("sid=of-ann-12345")],
            "",
            302,
            &[sets("sid=anonymous2; Path=/")],
            "",
        ),
        page(5.0, "GET /login", &[cookie("sid=anonymous2")], "", 200, &[HTML], &form("h8i9j0k1l2m3n4")),
        page(
            6.0,
            "POST /login",
            &[FORM, cookie("sid=anonymous2")],
            "_csrf=h8i9j0k1l2m3n4&user=b%26b&pass=hunter2",
            302,
            &[("Location", "/"), sets("theme=dark\nsid=of-bob-12345; HttpOnly")],
            "",
        ),
        tab(7.0, "", &[cookie("io=x; sid=of-bob-12345")], "40", r#"42["hi"]"#),
    ])
    .text;
    has(
        &text,
        &[
            r#"- http: { get: /login, expect: { status: 200, body: { $match: "input type=\"hidden\" name=\"_csrf\" value=\"([^\"'<>\\s]+)" } }, capture: from_login }"#,
            r#"the connection came with the cookie `sid`, which this set"#,
            r#"body: "_csrf=${encoded(from_login)}&user=${encoded(row.user)}&pass=${encoded(my_pass)}", expect: { status: 302 } }"#,
            r#"rows: [{ user: "b&b" }]"#,
        ],
    );
    assert_eq!(text.matches("post:").count(), 1, "{text}");
    for secret in ["hunter2", "of-bob", "h8i9j0", "logout", "Left out"] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[test]
fn a_session_that_a_login_does_not_rename_is_logged_in_all_the_same() {
    let text = imported(&[
        page(1.0, "GET /", &[], "", 200, &[HTML, ("Set-Cookie", "sid=same-all-the-time")], "<p>welcome"),
        page(
            2.0,
            "POST /signin",
            &[FORM, ("Cookie", "sid=same-all-the-time")],
            "email=a%40b.c&password=hunter2",
            200,
            &[HTML],
            "<p>hello",
        ),
        tab(3.0, "", &[("Cookie", "sid=same-all-the-time")], "40", r#"42["hi"]"#),
    ])
    .text;
    has(
        &text,
        &[
            r#"- http: { get: "/", expect: { status: 200 } }"#,
            "- http: { post: /signin",
            r#"rows: [{ email: "a@b.c" }]"#,
        ],
    );
    assert!(text.find(r#"get: "/","#) < text.find("post: /signin"), "{text}");
}

#[test]
fn a_token_in_the_header_or_in_the_query_comes_from_the_answer_too() {
    let csrf = "0f9e8d7c6b5a49382716";
    let login = |query: &str, header: &[(&str, &str)]| {
        imported(&[
            page(
                1.0,
                "GET /csrf",
                &[],
                "",
                200,
                &[JSON, ("Set-Cookie", "XSRF-TOKEN=0f9e8d7c6b5a49382716")],
                &json!({ "csrf": csrf }).to_string(),
            ),
            page(
                2.0,
                "POST /auth/token",
                &[JSON, ("X-CSRF-Token", csrf)],
                r#"{"login":"ann","password":"hunter2"}"#,
                201,
                &[JSON],
                &json!({ "access_token": JWT }).to_string(),
            ),
            tab(3.0, query, header, "40", r#"42["hi"]"#),
        ])
        .text
    };
    let bearer = format!("Bearer {JWT}");
    let by_header = login("", &[("Authorization", &bearer)]);
    has(&by_header, &[r#"connect: { headers: { Authorization: "Bearer ${from_token.access_token}" } }"#]);
    let by_query = login(&format!("&token={JWT}&room=7"), &[]);
    has(
        &by_query,
        &[r#"connect: { query: { token: "${from_token.access_token}" } }"#, r#"query: { room: "7" }"#],
    );
    for text in [by_header, by_query] {
        has(
            &text,
            &[
                "- http: { get: /csrf, expect: { status: 200 }, capture: from_csrf }",
                r#"headers: { Content-Type: application/json, X-CSRF-Token: "${from_csrf.csrf}" }, body: { login: "${row.login}", password: "${my_password}" }, expect: { status: 201 }, capture: from_token"#,
            ],
        );
    }
}

#[test]
fn a_cookie_that_a_page_says_in_a_header_is_kept_of_the_header_that_set_it() {
    let text = imported(&[
        page(
            1.0,
            "GET /",
            &[],
            "",
            200,
            &[HTML, ("Set-Cookie", "XSRF-TOKEN=0f9e8d7c6b5a49382716; Path=/")],
            "<p>hello",
        ),
        page(
            2.0,
            "POST /login",
            &[JSON, ("X-XSRF-TOKEN", "0f9e8d7c6b5a49382716")],
            r#"{"user":"ann","password":"hunter2"}"#,
            200,
            &[("Set-Cookie", "sid=of-ann-12345")],
            "",
        ),
        tab(3.0, "", &[("Cookie", "sid=of-ann-12345")], "40", r#"42["hi"]"#),
    ])
    .text;
    has(
        &text,
        &[
            r#"capture: { from_page_header: { header: set-cookie, match: "XSRF\\-TOKEN=([^;]+)" } } }"#,
            r#"X-XSRF-TOKEN: "${from_page_header}""#,
        ],
    );
}

#[test]
fn a_page_says_where_it_comes_from_and_the_text_that_a_cookie_means() {
    let text = imported(&[
        page(
            1.0,
            "GET /csrf",
            &[],
            "",
            204,
            &[("Set-Cookie", "XSRF-TOKEN=0f9e8d7c6b5a%3D49382716%3D; Path=/")],
            "",
        ),
        page(
            2.0,
            "POST /login",
            &[
                JSON,
                ("Origin", "http://localhost:3000"),
                ("Referer", "http://localhost:3000/enter/here?next=/"),
                ("X-XSRF-TOKEN", "0f9e8d7c6b5a=49382716="),
            ],
            r#"{"user":"ann","password":"hunter2"}"#,
            200,
            &[("Set-Cookie", "sid=of-ann-12345")],
            "",
        ),
        page(
            2.5,
            "POST /token",
            &[
                ("Cookie", "sid=of-ann-12345"),
                ("Origin", "http://pages.example"),
                ("Referer", "http://localhost:3000/reset/0f9e8d7c6b5a49382716a"),
            ],
            "",
            200,
            &[JSON],
            &json!({ "token": JWT }).to_string(),
        ),
        tab(3.0, "", &[("Cookie", "sid=of-ann-12345")], &format!(r#"40{{"token":"{JWT}"}}"#), r#"42["hi"]"#),
    ])
    .text;
    has(
        &text,
        &[
            r#"Origin: "${server.origin}", Referer: "${server.origin}/enter/here""#,
            r#"X-XSRF-TOKEN: "${decoded(from_csrf_header)}""#,
            r#"Origin: "http://pages.example", Referer: "${server.origin}/""#,
        ],
    );
}

#[test]
fn a_form_in_parts_is_written_field_by_field_unless_a_file_is_in_it() {
    let part = |name: &str, text: &str| {
        format!("--xYz9\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let kind = ("Content-Type", "multipart/form-data; boundary=xYz9");
    let of = |more: &str| {
        let body = format!("{}{}{more}--xYz9--\r\n", part("username", "ann"), part("password", "hunter2"));
        imported(&[
            page(1.0, "POST /login", &[kind], &body, 200, &[("Set-Cookie", "sid=of-ann-12345")], ""),
            tab(3.0, "", &[("Cookie", "sid=of-ann-12345")], "40", r#"42["hi"]"#),
        ])
    };
    let text = of("").text;
    has(
        &text,
        &[
            r#"Content-Type: "multipart/form-data; boundary=next-field""#,
            r#"name=\"username\"\r\n\r\n${row.username}\r\n--next-field\r\n"#,
            r#"name=\"password\"\r\n\r\n${my_password}\r\n--next-field--\r\n"#,
        ],
    );
    let file = "--xYz9\r\nContent-Disposition: form-data; name=\"me\"; filename=\"a.txt\"\r\n\r\nx\r\n";
    let text = of(file).text;
    has(&text, &[r#"body: "${my_body}""#, "# `my_body` is the whole body, a form with a file"]);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_message_to_who_logged_in_by_that_name_goes_to_a_room_of_its_row() {
    let begin = "2026-01-01T10:00:00Z".parse::<jiff::Timestamp>().expect("a time").as_second() as f64;
    let names = ["ann", "bob", "carol"];
    let mut entries: Vec<Value> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let sid = format!("sid=of-{name}-12345");
        let (at, to) = (1.0 + number as f64, names[(number + 1) % 3]);
        let body = format!(r#"{{"username":"{name}","password":"hunter{number}"}}"#);
        entries.push(page(at, "POST /login", &[JSON], &body, 200, &[("Set-Cookie", &sid)], ""));
        let words = |number: usize| format!("word {number} for you");
        let says = format!(r#"42["tell",{{"to":"{to}","text":"{}"}}]"#, words(number));
        let mut tab = tab(at + 10.0, "", &[("Cookie", &sid)], "40", &says);
        // The one before it says something two seconds after its own beginning.
        let before = (number + 2) % 3;
        let told = format!(r#"42["told",{{"text":"{}"}}]"#, words(before));
        for (after, data) in [(before as f64 + 13.1, told.as_str()), (18.0, "2")] {
            let heard = json!({ "type": "receive", "time": begin + after, "opcode": 1, "data": data });
            tab["_webSocketMessages"].as_array_mut().expect("a list").push(heard);
        }
        entries.push(tab);
    }
    let text = imported(&entries).text;
    has(
        &text,
        &[
            r#"rooms: ["${row.username}"]"#,
            "with more clients than people, all that are the same person are owed",
            r#"broadcast: { to: "${talkers[(n + 1) % count].my_username}""#,
        ],
    );
}

#[test]
fn a_header_that_no_request_explains_is_a_variable_and_a_token_of_another_server_is_told() {
    let bearer = format!("Bearer {JWT}");
    let tab = tab(3.0, "", &[("Authorization", &bearer)], "40", r#"42["hi"]"#);
    let alone = imported(std::slice::from_ref(&tab));
    has(
        &alone.text,
        &[r#"headers: { Authorization: "${my_Authorization}" }"#, "my_Authorization: fill me in"],
    );
    assert!(!alone.text.contains("eyJ"), "{}", alone.text);
    let login = page(
        1.0,
        "POST https://id.example/token",
        &[JSON],
        r#"{"password":"x1"}"#,
        200,
        &[JSON],
        &json!({ "t": JWT }).to_string(),
    );
    let text = imported(&[login, tab]).text;
    has(
        &text,
        &[
            "told by other servers what they say to this one: `POST https://id.example/token`",
            "${my_Authorization}",
        ],
    );
    assert!(!text.contains("- http"), "{text}");
}

#[test]
fn a_recording_without_cookies_still_shows_who_logged_in_before_a_connection() {
    let text = imported(&[
        page(1.0, "POST /login", &[FORM], "user=ann&password=hunter2", 302, &[("Location", "/")], ""),
        tab(2.0, "", &[], "40", r#"42["hi"]"#),
    ])
    .text;
    has(&text, &["it says a password, and the connection came after it", "- http: { post: /login"]);
}

#[test]
fn a_password_inside_another_text_is_not_written_either() {
    let query = r#"mutation { login(user: "ann", password: "hunter2") { token } }"#;
    let answer = json!({ "data": { "login": { "token": JWT } } }).to_string();
    let connect = format!(r#"40{{"token":"{JWT}"}}"#);
    let parts = "--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--x--\r\n";
    for (kind, body) in [
        ("application/json", json!({ "query": query }).to_string()),
        ("multipart/form-data; boundary=x", parts.into()),
    ] {
        let text = imported(&[
            page(1.0, "POST /graphql", &[("Content-Type", kind)], &body, 200, &[JSON], &answer),
            tab(2.0, "", &[], &connect, r#"42["hi"]"#),
        ])
        .text;
        assert!(!text.contains("hunter2"), "{text}");
        has(&text, &["post: /graphql", "fill me in", "token: \"${from_graphql.data.login.token}\""]);
    }
}

/// Requests and answers of any kind, whose values come again.
fn anything() -> impl Strategy<Value = Value> {
    let value = prop::sample::select(vec![JWT, "ann", "0f9e8d7c6b5a49382716", "${x}", "a b&c=d\"'", "7", ""]);
    let key = prop::sample::select(vec!["password", "token", "user", "id", "_csrf", "$x", "a/b", "n"]);
    let path = prop::sample::select(vec![
        "/login",
        "/logout",
        "/a/${n}/0f9e8d7c6b5a49382716",
        "/csrf?token=7&user=ann",
        "http://[",
        "/",
    ]);
    let pair = (key, value);
    (
        prop::sample::select(vec!["GET", "POST", "PUT", ""]),
        path,
        prop::collection::vec(pair, 0..4),
        0_u8..6,
        1_u8..40,
    )
        .prop_map(|(method, path, pairs, kind, at)| {
            let map: Value = Value::Object(
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect(),
            );
            let form: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let cookies = form.join("; ");
            let (asked, body) = match kind {
                0 => (JSON, map.to_string()),
                1 => (FORM, form.join("&")),
                2 => (JSON, "{".to_owned()),
                _ => (HTML, form.join("\n")),
            };
            let token = pairs.first().map_or("", |pair| pair.1);
            if kind == 5 {
                let says = json!(["say", map]);
                return tab(
                    f64::from(at),
                    &format!("&token={token}"),
                    &[("Cookie", &cookies), ("Authorization", token)],
                    &format!("40{map}"),
                    &format!("42{says}"),
                );
            }
            let content =
                if kind == 3 { format!("<input name=\"x\" value=\"{token}\">") } else { map.to_string() };
            let kind = if kind == 3 { HTML } else { JSON };
            page(
                f64::from(at),
                &format!("{method} {path}"),
                &[asked, ("Cookie", &cookies), ("X-CSRF-Token", token)],
                &body,
                200,
                &[kind, ("Set-Cookie", &cookies)],
                &content,
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_pages_asked_for_the_scenario_is_a_good_one_and_no_secret_stands_in_it(entries in prop::collection::vec(anything(), 0..8)) {
        let text = json!({ "log": { "entries": entries } }).to_string();
        if let Ok(imported) = har::import(text.as_bytes(), "any.har", "-") {
            prop_assert!(!imported.text.contains(JWT), "{}", imported.text);
            let source = Source { name: "made.yaml".into(), text: imported.text };
            if let Err(mistake) = read(&source, &Surroundings::without_files()) {
                prop_assert!(false, "{mistake}\n{}", source.text);
            }
        }
    }
}

#[test]
fn connections_to_several_servers_are_told_with_their_numbers() {
    let mut other = tab(2.0, "", &[], "40", r#"42["hi"]"#);
    other["request"]["url"] = json!("wss://other.example/socket.io/?EIO=4&transport=websocket");
    let one = || tab(1.0, "", &[], "40", r#"42["hi"]"#);
    let told = imported(&[one(), one(), other]).remarks().join("\n");
    has(
        &told,
        &[
            "2 servers: http://localhost:3000 (2 tabs), https://other.example (1 tab); the scenario plays all of them",
        ],
    );
    assert!(!imported(&[one(), one()]).remarks().join("\n").contains("servers"));
}

#[test]
fn who_mistyped_and_got_a_session_for_it_logs_in_once() {
    let form = |password: &str| format!("username=ann&password={password}");
    let (sid, csrf) = ("sid=3f9a2b77c1d0e4f5a6b7c8d9", "Set-Cookie");
    let entries = [
        page(1.0, "POST /login", &[FORM], &form("hunter1"), 200, &[(csrf, sid)], "try again"),
        page(2.0, "POST /login", &[FORM, ("Cookie", sid)], &form("hunter2"), 302, &[("Location", "/")], ""),
        tab(3.0, "", &[("Cookie", sid)], "40", r#"42["status","here"]"#),
    ];
    let text = imported(&entries).text;
    assert_eq!(text.matches("post: /login").count(), 1, "{text}");
    has(&text, &["expect: { status: 302 }"]);
}
