use crate::common::{ADA, CLIENT, EVENTS, GRACE, World, refused, timed, with};
use google_sim::{Account, Request};
use serde_json::{Value, json};

const FREE_BUSY: &str = "/calendar/v3/freeBusy";

fn day(more: &Value) -> Value {
    with(json!({"timeMin": "2026-12-01T00:00:00+01:00", "timeMax": "2026-12-02T00:00:00+01:00"}), more)
}

fn ask(world: &mut World, question: &Value) -> Value {
    let answer = world.call_with("POST", FREE_BUSY, question);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.value()
}

/// When Ada is busy on the day, in hours of her own clock.
fn busy(world: &mut World) -> Vec<(String, String)> {
    let question = day(&json!({"timeZone": "Europe/Berlin", "items": [{"id": ADA}]}));
    let answer = ask(world, &question);
    let hour = |at: &Value| at.as_str().unwrap()[11..16].to_owned();
    let spans = answer["calendars"][ADA]["busy"].as_array().unwrap();
    spans.iter().map(|span| (hour(&span["start"]), hour(&span["end"]))).collect()
}

fn hours(spans: &[(&str, &str)]) -> Vec<(String, String)> {
    spans.iter().map(|(start, end)| ((*start).to_owned(), (*end).to_owned())).collect()
}

#[test]
fn an_answer_is_in_utc_unless_another_zone_is_asked_for_and_names_no_groups_where_there_are_none() {
    let mut world = World::new();
    world.insert(&timed("2026-12-01", 9));
    let expected = json!({
        "kind": "calendar#freeBusy",
        "timeMin": "2026-11-30T23:00:00.000Z",
        "timeMax": "2026-12-01T23:00:00.000Z",
        "calendars": {"primary": {"busy": [{"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T09:00:00Z"}]}},
    });
    let nulls = json!({"groupExpansionMax": null, "calendarExpansionMax": null, "timeZone": null});
    let question = with(day(&json!({"items": [{"id": "primary"}]})), &nulls);
    assert_eq!(ask(&mut world, &question), expected);
    let tokyo = day(&json!({"items": [{"id": "primary"}], "timeZone": "Asia/Tokyo"}));
    let answer = ask(&mut world, &tokyo);
    assert_eq!(answer["calendars"]["primary"]["busy"][0]["start"], "2026-12-01T17:00:00+09:00");
    assert_eq!(answer["timeMin"], "2026-11-30T23:00:00.000Z");
}

#[test]
fn events_that_overlap_or_touch_are_one_span_cut_to_what_was_asked() {
    let mut world = World::new();
    for hour in [9, 10, 14] {
        world.insert(&timed("2026-12-01", hour));
    }
    let half = json!({
        "start": {"dateTime": "2026-12-01T14:30:00+01:00"}, "end": {"dateTime": "2026-12-01T16:00:00+01:00"},
    });
    let night = json!({
        "start": {"dateTime": "2026-11-30T22:00:00+01:00"}, "end": {"dateTime": "2026-12-01T06:00:00+01:00"},
    });
    world.insert(&half);
    world.insert(&night);
    assert_eq!(busy(&mut world), hours(&[("00:00", "06:00"), ("09:00", "11:00"), ("14:00", "16:00")]));
}

#[test]
fn only_what_is_transparent_declined_or_cancelled_leaves_time_free() {
    let mut world = World::new();
    let guest = |answer: &str| json!({"attendees": [{"email": ADA, "responseStatus": answer}, {"email": GRACE}]});
    let events = [
        (1, json!({"transparency": "transparent"}), false),
        (3, guest("declined"), false),
        (5, guest("tentative"), true),
        (7, guest("needsAction"), true),
        (9, json!({"status": "tentative"}), true),
        (11, json!({"visibility": "private"}), true),
        (13, json!({"eventType": "outOfOffice", "outOfOfficeProperties": {}}), true),
    ];
    let mut expected = Vec::new();
    for (hour, more, blocks) in events {
        world.insert(&with(timed("2026-12-01", hour), &more));
        if blocks {
            expected.push((format!("{hour:02}:00"), format!("{:02}:00", hour + 1)));
        }
    }
    let gone = world.insert(&timed("2026-12-01", 20));
    world.call("DELETE", &format!("{EVENTS}/{}", gone["id"].as_str().unwrap()));
    assert_eq!(busy(&mut world), expected);
}

#[test]
fn an_invitation_that_its_guest_declined_leaves_the_guest_free_alone() {
    let mut world = World::new();
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"attendees": [{"email": GRACE}]})));
    world.google.share(world.now, GRACE, ADA, "freeBusyReader");
    let question = day(&json!({"items": [{"id": GRACE}, {"id": ADA}]}));
    let spans = |answer: &Value, id: &str| answer["calendars"][id]["busy"].as_array().unwrap().len();
    let before = ask(&mut world, &question);
    assert_eq!((spans(&before, GRACE), spans(&before, ADA)), (1, 1));
    world.google.respond(world.now, GRACE, event["id"].as_str().unwrap(), "declined").unwrap();
    let after = ask(&mut world, &question);
    assert_eq!((spans(&after, GRACE), spans(&after, ADA)), (0, 1));
}

#[test]
fn whole_days_and_instances_count_and_changed_instances_replace_the_originals() {
    let mut world = World::new();
    let weekly = json!({"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=9"]});
    let series = world.insert(&with(timed("2026-11-24", 9), &weekly));
    assert_eq!(busy(&mut world), hours(&[("09:00", "10:00")]));
    let instance = format!("{EVENTS}/{}_20261201T080000Z", series["id"].as_str().unwrap());
    world.call_with("PATCH", &instance, &timed("2026-12-01", 17));
    assert_eq!(busy(&mut world), hours(&[("17:00", "18:00")]));
    world.call("DELETE", &instance);
    assert_eq!(busy(&mut world), []);
    world.insert(&json!({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}));
    assert_eq!(busy(&mut world), hours(&[("00:00", "00:00")]));
}

#[test]
fn what_cannot_be_seen_is_an_error_of_that_calendar_alone() {
    let mut world = World::new();
    let question = day(&json!({"items": [{"id": ADA}, {"id": GRACE}, {"id": "nobody@example.com"}]}));
    let answer = ask(&mut world, &question);
    let not_found = json!({"errors": [{"domain": "global", "reason": "notFound"}], "busy": []});
    assert_eq!(answer["calendars"], json!({ADA: {"busy": []}, GRACE: not_found, "nobody@example.com": not_found}));
}

#[test]
fn a_group_stands_for_its_members_unless_they_are_too_many() {
    let mut world = World::new();
    world.google.add_group("staff@example.com", vec![ADA.to_owned(), GRACE.to_owned()]);
    world.google.share(world.now, GRACE, ADA, "freeBusyReader");
    let question = day(&json!({"items": [{"id": "staff@example.com"}]}));
    let answer = ask(&mut world, &question);
    assert_eq!(answer["groups"], json!({"staff@example.com": {"calendars": [ADA, GRACE]}}));
    assert_eq!(answer["calendars"], json!({ADA: {"busy": []}, GRACE: {"busy": []}}));

    let answer = ask(&mut world, &with(question.clone(), &json!({"groupExpansionMax": 1})));
    let too_big = json!([{"domain": "global", "reason": "groupTooBig"}]);
    assert_eq!(answer["groups"], json!({"staff@example.com": {"errors": too_big}}));
    assert_eq!(answer["calendars"], json!({}));

    let answer = ask(&mut world, &with(question, &json!({"calendarExpansionMax": 1})));
    let too_many = json!({"errors": [{"domain": "global", "reason": "tooManyCalendarsRequested"}], "busy": []});
    assert_eq!(answer["calendars"], json!({ADA: too_many, GRACE: too_many}));
}

#[test]
fn fifty_calendars_are_answered_and_more_are_too_many() {
    let mut world = World::new();
    let people: Vec<String> = (0..51).map(|number| format!("p{number:02}@example.com")).collect();
    for person in &people {
        world.google.add_account(Account::new(person, person, chrono_tz::Tz::UTC));
        world.google.share(world.now, person, ADA, "reader");
    }
    let asked = |count: usize| {
        let items: Vec<Value> = people[..count].iter().map(|id| json!({"id": id})).collect();
        day(&json!({"items": items}))
    };
    let answer = ask(&mut world, &asked(50));
    assert_eq!(answer["calendars"]["p49@example.com"], json!({"busy": []}));
    let answer = ask(&mut world, &asked(51));
    assert_eq!(answer["calendars"]["p00@example.com"]["errors"][0]["reason"], "tooManyCalendarsRequested");
}

#[test]
fn a_question_needs_a_time_that_is_not_empty_and_not_too_long() {
    let mut world = World::new();
    let cases = [
        (json!({"timeMin": null}), "required"),
        (json!({"timeMax": null}), "required"),
        (json!({"timeMin": "2026-12-01"}), "invalid"),
        (json!({"timeMin": "2026-12-01T00:00:00"}), "invalid"),
        (json!({"timeMax": "2026-12-01T00:00:00+01:00"}), "timeRangeEmpty"),
        (json!({"timeMax": "2027-03-01T00:00:01+01:00"}), "timeRangeTooLong"),
        (json!({"timeZone": "Mars/Base"}), "invalid"),
        (json!({"items": [{}]}), "invalid"),
        (json!({"groupExpansionMax": 101}), "invalid"),
        (json!({"calendarExpansionMax": 51}), "invalid"),
        (json!({"calendarExpansionMax": "many"}), "invalid"),
    ];
    for (change, reason) in cases {
        let question = with(day(&json!({"items": [{"id": ADA}]})), &change);
        refused(&world.call_with("POST", FREE_BUSY, &question), 400, reason);
    }
    ask(&mut world, &day(&json!({"timeMax": "2027-03-01T00:00:00+01:00"})));
}

#[test]
fn fields_and_one_reader_who_sees_times_alone() {
    let mut world = World::new();
    world.insert(&timed("2026-12-01", 9));
    world.google.share(world.now, ADA, GRACE, "freeBusyReader");
    let token = world.google.grant(world.now, CLIENT, GRACE, &[crate::common::ALL]).access_token;
    let target = format!("{FREE_BUSY}?fields=calendars/*/busy/start");
    let question = day(&json!({"items": [{"id": ADA}]}));
    let answer = world.send(Request::new("POST", &target).bearer(&token).json(&question));
    assert_eq!(answer.value(), json!({"calendars": {ADA: {"busy": [{"start": "2026-12-01T08:00:00Z"}]}}}));
}
