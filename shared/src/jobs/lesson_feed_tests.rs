use serde_json::json;

use super::*;

const ID: &str = "00000000-0000-4000-8000-00000000000a";

fn changed() -> Value {
    json!({
        "type": "lesson.changed", "tenantId": ID, "lessonId": ID, "version": 7,
        "lesson": {
            "instructorId": ID, "title": "Piano", "startsAt": "2026-12-01T10:00:00+01:00",
            "endsAt": "2026-12-01T10:00:00.5Z", "timeZone": "Europe/Berlin", "status": "scheduled",
            "description": null, "location": "Room 4",
        },
    })
}

fn removed() -> Value {
    json!({ "type": "lesson.removed", "tenantId": ID, "lessonId": ID, "version": 8 })
}

/// Why the one message of the body is refused.
fn reason(body: &str) -> String {
    match read(body).remove(0) {
        Err(refused) => refused.reason,
        Ok(version) => panic!("{version:?}"),
    }
}

/// `message` with another value in the field that `path` names, or without it.
fn with(mut message: Value, path: &str, value: Option<Value>) -> String {
    let (object, name) = match path.split_once('.') {
        Some((object, name)) => (&mut message[object], name),
        None => (&mut message, path),
    };
    match value {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name)),
    }
    message.to_string()
}

#[test]
fn a_message_tells_one_version_of_one_lesson() {
    let version = read(&changed().to_string()).remove(0).unwrap();
    let lesson = version.lesson.unwrap();
    assert_eq!((version.version, version.lesson_id.to_string().as_str()), (7, ID));
    assert_eq!(lesson.content.starts_at.to_rfc3339(), "2026-12-01T09:00:00+00:00");
    assert_eq!(lesson.content.ends_at - lesson.content.starts_at, TimeDelta::milliseconds(3_600_500));
    assert_eq!((lesson.content.description, lesson.content.location.as_deref()), (None, Some("Room 4")));
    assert_eq!(read(&removed().to_string()).remove(0).unwrap().lesson, None);
}

#[test]
fn each_message_of_a_list_stands_for_itself() {
    let wrong = with(changed(), "lesson.title", Some(json!("")));
    let list = json!([changed(), serde_json::from_str::<Value>(&wrong).unwrap(), "?", removed()]);
    let read = read(&list.to_string());
    let refused: Vec<_> = read.iter().map(|one| one.as_ref().err().map(|refused| refused.reason.as_str())).collect();
    assert_eq!(refused, [None, Some("`lesson.title` is empty"), Some("The message is not a JSON object."), None]);
    let kept: Value = serde_json::from_str(&read[1].as_ref().unwrap_err().body).unwrap();
    assert_eq!(kept, list[1], "it can be mended and sent again");
}

#[test]
fn a_list_has_an_end() {
    let many = |count| Value::Array(vec![removed(); count]).to_string();
    assert_eq!(read(&many(MOST)).len(), MOST);
    assert_eq!(reason(&many(MOST + 1)), "The list holds more than 100 messages.");
    assert_eq!(reason("[]"), "The list is empty.");
}

#[test]
fn whatever_is_missing_is_named() {
    for path in ["type", "tenantId", "lessonId", "version", "lesson"] {
        assert_eq!(reason(&with(changed(), path, None)), format!("`{path}` is missing"));
        assert_eq!(reason(&with(changed(), path, Some(Value::Null))), format!("`{path}` is missing"));
    }
    for path in ["instructorId", "title", "startsAt", "endsAt", "timeZone", "status"] {
        let path = format!("lesson.{path}");
        assert_eq!(reason(&with(changed(), &path, None)), format!("`{path}` is missing"));
    }
    for path in ["tenantId", "lessonId", "version"] {
        assert_eq!(reason(&with(removed(), path, None)), format!("`{path}` is missing"));
    }
}

#[test]
fn whatever_is_wrong_is_named_and_not_repeated() {
    let id = "is not a UUID";
    let version = "is not a whole number from 1 to 9223372036854775807";
    let moment = "is not a moment with an offset (RFC 3339)";
    let cases = [
        ("type", json!("lesson.created"), "is neither lesson.changed nor lesson.removed"),
        ("type", json!(["lesson.changed"]), "is not a text"),
        ("tenantId", json!("0"), id),
        ("tenantId", json!("0000000000004000800000000000000a"), id),
        ("tenantId", json!(17), "is not a text"),
        ("lessonId", json!("' OR 1=1; --"), id),
        ("version", json!(0), version),
        ("version", json!(-1), version),
        ("version", json!(1.5), version),
        ("version", json!("7"), version),
        ("version", json!(u64::MAX), version),
        ("lesson", json!([]), "is not an object"),
        ("lesson", json!("Piano"), "is not an object"),
        ("lesson.instructorId", json!({ "$ne": null }), "is not a text"),
        ("lesson.title", json!(" \n"), "is empty"),
        ("lesson.title", json!("x".repeat(LONGEST_LINE + 1)), "is too long"),
        ("lesson.title", json!("Piano\u{0}"), "holds a control character"),
        ("lesson.title", json!("\u{1b}[2J"), "holds a control character"),
        ("lesson.description", json!("x".repeat(LONGEST_TEXT + 1)), "is too long"),
        ("lesson.description", json!(1), "is not a text"),
        ("lesson.location", json!(true), "is not a text"),
        ("lesson.location", json!("x".repeat(LONGEST_LINE + 1)), "is too long"),
        ("lesson.startsAt", json!("tomorrow"), moment),
        ("lesson.startsAt", json!("2026-12-01T10:00:00"), moment),
        ("lesson.startsAt", json!("infinity"), moment),
        ("lesson.startsAt", json!(1_790_000_000), "is not a text"),
        ("lesson.startsAt", json!("1969-12-31T23:59:59Z"), "is before 1970 or after 2199"),
        ("lesson.endsAt", json!("9999-12-31T23:59:59-12:00"), "is before 1970 or after 2199"),
        ("lesson.endsAt", json!("2026-12-01T10:00:00+01:00"), "is not after lesson.startsAt"),
        ("lesson.endsAt", json!("2026-12-02T10:00:01+01:00"), "is more than a day after lesson.startsAt"),
        ("lesson.timeZone", json!("Mars/Olympus"), "is not a time zone of the IANA database"),
        ("lesson.timeZone", json!("+01:00"), "is not a time zone of the IANA database"),
        ("lesson.status", json!("done"), "is neither scheduled nor cancelled"),
    ];
    for (path, value, what) in cases {
        assert_eq!(reason(&with(changed(), path, Some(value))), format!("`{path}` {what}"));
    }
}

#[test]
fn a_field_that_is_unknown_is_refused_and_its_name_not_repeated() {
    for name in ["colour", "\u{202e}<script>", "Ada has the flu"] {
        assert_eq!(reason(&with(changed(), name, Some(json!("red")))), "`…` is unknown");
        assert_eq!(reason(&with(changed(), &format!("lesson.{name}"), Some(json!("red")))), "`lesson.…` is unknown");
    }
    assert_eq!(reason(&with(removed(), "lesson", Some(json!({})))), "`…` is unknown");
}

#[test]
fn what_is_no_message_at_all_is_refused() {
    for body in ["", "{", "\u{0}", "lesson.changed", "{\"type\":\"lesson.changed\",}"] {
        assert!(reason(body).starts_with("The body is not JSON: "), "{body}");
    }
    for body in ["1", "null", "\"text\"", "[[]]"] {
        assert_eq!(reason(body), "The message is not a JSON object.", "{body}");
    }
    let deep = "[".repeat(100_000);
    assert!(reason(&deep).contains("recursion limit"));
    assert_eq!(reason("{}"), "`type` is missing");
}

#[test]
fn texts_may_be_as_long_as_they_may() {
    let full = with(changed(), "lesson.title", Some(json!("ü".repeat(LONGEST_LINE))));
    assert!(read(&full)[0].is_ok());
    let lines = with(changed(), "lesson.description", Some(json!("first\nsecond\ttab")));
    assert!(read(&lines)[0].is_ok());
    let blank = read(&with(changed(), "lesson.location", Some(json!(" ")))).remove(0).unwrap();
    assert_eq!(blank.lesson.unwrap().content.location, None);
}
