//! Invitations: copies, answers, and what only the organizer may do.

#![allow(clippy::unwrap_used)]

mod common;

use common::{ADA, ALL, EVENTS, GRACE, World, refused, timed, with};
use serde_json::{Value, json};

struct Party {
    world: World,
    ada: String,
    grace: String,
}

impl Party {
    fn new() -> Self {
        let mut world = World::new();
        let ada = world.token.clone();
        let grace = world.token_of(GRACE, &[ALL]);
        Self { world, ada, grace }
    }

    fn as_ada(&mut self) -> &mut World {
        self.world.token.clone_from(&self.ada);
        &mut self.world
    }

    fn as_grace(&mut self) -> &mut World {
        self.world.token.clone_from(&self.grace);
        &mut self.world
    }

    fn invite(&mut self, more: &Value) -> String {
        let guests = json!({"attendees": [{"email": GRACE}], "summary": "Lesson"});
        let event = self.as_ada().insert(&with(with(timed("2026-12-01", 9), &guests), more));
        format!("{EVENTS}/{}", event["id"].as_str().unwrap())
    }
}

#[test]
fn a_guest_gets_a_copy_under_the_same_id_and_loses_it_with_the_event() {
    let mut party = Party::new();
    let path = party.invite(&json!({"extendedProperties": {"private": {"a": "1"}, "shared": {"b": "2"}}}));
    let copy = party.as_grace().get(&path);
    assert_eq!(copy["organizer"]["email"], ADA);
    assert_eq!(copy["attendees"][0]["self"], true);
    assert_eq!(copy["extendedProperties"], json!({"shared": {"b": "2"}}), "private ones belong to one copy");
    party.as_ada().call_with("PATCH", &path, &timed("2026-12-02", 9));
    assert_eq!(party.as_grace().get(&path)["start"]["dateTime"], "2026-12-02T03:00:00-05:00");
    party.as_ada().call("DELETE", &path);
    assert_eq!(party.as_grace().get(&path)["status"], "cancelled");
}

#[test]
fn an_answer_travels_to_the_organizer_and_nothing_else_does() {
    let mut party = Party::new();
    let path = party.invite(&json!({}));
    let own = json!({"transparency": "transparent", "summary": "Mine", "attendees": [{"email": GRACE, "responseStatus": "accepted"}]});
    party.as_grace().call_with("PATCH", &path, &own);
    let event = party.as_ada().get(&path);
    assert_eq!(event["attendees"][0]["responseStatus"], "accepted");
    assert_eq!(event["summary"], "Lesson");
    assert!(event.get("transparency").is_none());
    // What the guest changed besides may be overwritten; what is the guest's own stays.
    party.as_ada().call_with("PATCH", &path, &json!({"location": "Room 3"}));
    let copy = party.as_grace().get(&path);
    assert_eq!((copy["summary"].as_str(), copy["transparency"].as_str()), (Some("Lesson"), Some("transparent")));
}

#[test]
fn a_guest_may_not_set_the_organizers_flags_not_even_by_leaving_them_out() {
    let mut party = Party::new();
    let path = party.invite(&json!({"guestsCanInviteOthers": false}));
    let flag = json!({"guestsCanModify": true});
    refused(&party.as_grace().call_with("PATCH", &path, &flag), 403, "forbiddenForNonOrganizer");
    let put = with(timed("2026-12-01", 9), &json!({"attendees": [{"email": GRACE}]}));
    refused(&party.as_grace().call_with("PUT", &path, &put), 403, "forbiddenForNonOrganizer");
    assert_eq!(party.as_grace().call_with("PATCH", &path, &json!({"colorId": "3"})).status, 200);
}

#[test]
fn removing_an_invitation_declines_it() {
    let mut party = Party::new();
    let path = party.invite(&json!({}));
    party.as_grace().call("DELETE", &path);
    assert_eq!(party.as_ada().get(&path)["attendees"][0]["responseStatus"], "declined");
    party.as_ada().call_with("PATCH", &path, &json!({"location": "Room 3"}));
    assert_eq!(party.as_grace().get(&path)["status"], "cancelled", "it does not come back");
}

#[test]
fn an_invitation_to_one_instance_comes_without_its_series() {
    let mut party = Party::new();
    let series = with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}));
    let id = party.as_ada().insert(&series)["id"].as_str().unwrap().to_owned();
    let instance = format!("{EVENTS}/{id}_20261202T080000Z");
    party.as_ada().call_with("PATCH", &instance, &json!({"attendees": [{"email": GRACE}]}));
    let (items, _) = party.as_grace().list("");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["recurringEventId"], json!(id));
    refused(&party.as_grace().call("GET", &format!("{EVENTS}/{id}")), 404, "notFound");
}

#[test]
fn an_answer_to_one_instance_makes_an_exception_on_both_sides() {
    let mut party = Party::new();
    let path = party.invite(&json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}));
    let instance = format!("{path}_20261202T080000Z");
    let declined = json!({"attendees": [{"email": GRACE, "responseStatus": "declined"}]});
    party.as_grace().call_with("PATCH", &instance, &declined);
    assert_eq!(party.as_ada().get(&instance)["attendees"][0]["responseStatus"], "declined");
    assert_eq!(party.as_ada().get(&path)["attendees"][0]["responseStatus"], "needsAction");
}

#[test]
fn more_guests_than_asked_for_leave_only_ones_own_row() {
    let mut party = Party::new();
    let path = party.invite(&json!({"attendees": [{"email": GRACE}, {"email": ADA}, {"email": "eve@example.com"}]}));
    let shown = party.as_ada().get(&format!("{path}?maxAttendees=2"));
    assert_eq!(shown["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(shown["attendees"][0]["email"], ADA);
    assert_eq!(shown["attendeesOmitted"], true);
}
