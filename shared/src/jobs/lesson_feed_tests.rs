use chrono::TimeDelta;
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

fn reason(body: &str) -> String {
    let told = read(body);
    told.refused.unwrap_or_else(|| panic!("{:?}", told.versions))
}

fn told(body: &str) -> LessonVersion {
    let mut told = read(body);
    assert_eq!((told.versions.len(), told.refused), (1, None));
    told.versions.remove(0)
}

/// `message` with another value in the field at `path`, or without the field.
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
    let version = told(&changed().to_string());
    let lesson = version.lesson.unwrap();
    assert_eq!((version.version, version.lesson_id.to_string().as_str()), (7, ID));
    assert_eq!(lesson.content.starts_at.to_rfc3339(), "2026-12-01T09:00:00+00:00");
    assert_eq!(lesson.content.ends_at - lesson.content.starts_at, TimeDelta::milliseconds(3_600_500));
    assert_eq!((lesson.content.description, lesson.content.location.as_deref()), (None, Some("Room 4")));
    assert_eq!(told(&removed().to_string()).lesson, None);
}

#[test]
fn each_message_of_a_list_stands_for_itself() {
    let wrong = with(changed(), "lesson.title", Some(json!("")));
    let list = json!([changed(), serde_json::from_str::<Value>(&wrong).unwrap(), "?", removed()]);
    let told = read(&list.to_string());
    assert_eq!(told.versions.iter().map(|version| version.version).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(told.refused.unwrap(), "2: `lesson.title` is empty\n3: The message is not a JSON object.");
}

/// SQS allows 1 MiB for a message with its attributes, and the template a quarter of that for a message of the feed.
#[test]
fn the_reasons_of_the_longest_list_fit_beside_it() {
    let long = with(changed(), "version", Some(json!(0)));
    let list = Value::Array(vec![serde_json::from_str(&long).unwrap(); MAX_MESSAGES_PER_LIST]).to_string();
    assert!(reason(&list).len() < 16 * 1024);
}

#[test]
fn an_empty_list_and_one_of_more_than_a_hundred_messages_are_refused() {
    let many = |count| Value::Array(vec![removed(); count]).to_string();
    assert_eq!(read(&many(MAX_MESSAGES_PER_LIST)).versions.len(), MAX_MESSAGES_PER_LIST);
    assert_eq!(reason(&many(MAX_MESSAGES_PER_LIST + 1)), "The list holds more than 100 messages.");
    assert_eq!(reason("[]"), "The list is empty.");
}

#[test]
fn each_missing_field_is_named() {
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
fn each_malformed_field_is_named_and_its_value_not_repeated() {
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
        ("lesson.title", json!("x".repeat(MAX_LINE_CHARS + 1)), "is too long"),
        ("lesson.title", json!("Piano\u{0}"), "holds a control character"),
        ("lesson.title", json!("\u{1b}[2J"), "holds a control character"),
        ("lesson.description", json!("x".repeat(MAX_TEXT_CHARS + 1)), "is too long"),
        ("lesson.description", json!(1), "is not a text"),
        ("lesson.location", json!(true), "is not a text"),
        ("lesson.location", json!("x".repeat(MAX_LINE_CHARS + 1)), "is too long"),
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
    for body in ["1", "null", "\"text\""] {
        assert_eq!(reason(body), "The message is not a JSON object.", "{body}");
    }
    assert_eq!(reason("[[]]"), "1: The message is not a JSON object.");
    let deep = "[".repeat(100_000);
    assert!(reason(&deep).contains("recursion limit"));
    assert_eq!(reason("{}"), "`type` is missing");
}

#[test]
fn texts_up_to_the_limit_are_taken() {
    told(&with(changed(), "lesson.title", Some(json!("ü".repeat(MAX_LINE_CHARS)))));
    told(&with(changed(), "lesson.description", Some(json!("first\nsecond\ttab"))));
    let blank = told(&with(changed(), "lesson.location", Some(json!(" "))));
    assert_eq!(blank.lesson.unwrap().content.location, None);
}
