//! Invitations: copies, answers, and what only the organizer may do.

use crate::common::{ADA, ALL, EVENTS, GRACE, World, refused, timed, with};
use google_sim::GuestEdits;
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

#[test]
fn a_lone_instance_goes_with_its_series_or_when_the_series_is_cut() {
    let body = json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]});
    for cut in [None, Some(json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=1"]}))] {
        let mut party = Party::new();
        let id = party.as_ada().insert(&with(timed("2026-12-01", 9), &body))["id"].as_str().unwrap().to_owned();
        let instance = format!("{EVENTS}/{id}_20261202T080000Z");
        party.as_ada().call_with("PATCH", &instance, &json!({"attendees": [{"email": GRACE}]}));
        assert_eq!(party.as_grace().get(&instance)["status"], "confirmed");
        let series = format!("{EVENTS}/{id}");
        match cut {
            None => party.as_ada().call("DELETE", &series),
            Some(shorter) => party.as_ada().call_with("PATCH", &series, &shorter),
        };
        assert_eq!(party.as_grace().get(&instance)["status"], "cancelled");
    }
}

/// An invitation from another system, in Ada's calendar.
fn invitation(world: &mut World) -> String {
    let event = json!({
        "id": "_6op3edhh64o30", "summary": "Board", "organizer": {"email": "chair@elsewhere.example"},
        "attendees": [{"email": ADA}, {"email": "chair@elsewhere.example", "responseStatus": "accepted"}],
    });
    let id = world.google.create_event(world.now, ADA, &with(timed("2026-12-01", 9), &event)).unwrap();
    format!("{EVENTS}/{id}")
}

#[test]
fn an_invitation_from_elsewhere_has_a_foreign_organizer_and_an_id_of_googles_making() {
    let mut world = World::new();
    let path = invitation(&mut world);
    let event = world.get(&path);
    assert_eq!(event["organizer"], json!({"email": "chair@elsewhere.example"}));
    assert!(event["id"].as_str().unwrap().starts_with('_'));
    let chosen = with(timed("2026-12-01", 9), &json!({"id": "_6op3edhh64o31"}));
    refused(&world.call_with("POST", EVENTS, &chosen), 400, "invalid");
    world.google.respond(world.now, ADA, "_6op3edhh64o30", "declined").unwrap();
    assert_eq!(world.get(&path)["attendees"][0]["responseStatus"], "declined");
}

#[test]
fn what_a_call_edits_in_a_guests_copy_is_kept_ignored_or_refused() {
    let edit = json!({"summary": "Mine", "colorId": "3"});
    let mut world = World::new();
    let path = invitation(&mut world);
    let before = world.get(&path);

    world.google.behaviour_mut().guest_edits = GuestEdits::Ignored;
    let answer = world.call_with("PATCH", &path, &json!({"summary": "Mine"}));
    assert_eq!((answer.status, answer.value()), (200, before), "not even the etag changes");
    let colored = world.call_with("PATCH", &path, &edit).value();
    assert_eq!((&colored["summary"], &colored["colorId"]), (&json!("Board"), &json!("3")));

    world.google.behaviour_mut().guest_edits = GuestEdits::Refused;
    refused(&world.call_with("PATCH", &path, &edit), 403, "forbiddenForNonOrganizer");
    refused(&world.call_with("PUT", &path, &timed("2026-12-02", 9)), 403, "forbiddenForNonOrganizer");
    assert_eq!(world.call_with("PATCH", &path, &json!({"colorId": "4"})).status, 200);

    world.google.behaviour_mut().guest_edits = GuestEdits::Kept;
    assert_eq!(world.call_with("PATCH", &path, &edit).value()["summary"], "Mine");
}

#[test]
fn an_event_that_gets_another_organizer_is_a_guests_copy_from_then_on() {
    let mut world = World::new();
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"summary": "Lesson"})));
    let path = format!("{EVENTS}/{}", event["id"].as_str().unwrap());
    world.google.hand_over(world.now, ADA, event["id"].as_str().unwrap(), "school@example.com").unwrap();
    let copy = world.get(&path);
    assert_eq!(copy["organizer"], json!({"email": "school@example.com"}));
    assert_eq!(copy["attendees"][0], json!({"email": ADA, "responseStatus": "accepted", "self": true}));
    assert_ne!(copy["etag"], event["etag"]);
    world.google.behaviour_mut().guest_edits = GuestEdits::Refused;
    refused(&world.call_with("PATCH", &path, &json!({"summary": "x"})), 403, "forbiddenForNonOrganizer");
    assert_eq!(world.call("DELETE", &path).status, 204, "a guest may always leave");
}
