//! Google's palettes.

use serde_json::{Map, Value, json};

/// The backgrounds of calendars, from colour 1.
const OF_CALENDARS: [&str; 24] = [
    "#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765", "#7bd148", "#b3dc6c",
    "#fbe983", "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf",
    "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2",
];

/// The backgrounds of events, from colour 1.
const OF_EVENTS: [&str; 11] = [
    "#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed", "#51b749",
    "#dc2127",
];

/// `colors.get`. Google has not changed its palettes since 2012.
pub(crate) fn get() -> Value {
    json!({
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": palette(&OF_CALENDARS),
        "event": palette(&OF_EVENTS),
    })
}

fn palette(backgrounds: &[&str]) -> Map<String, Value> {
    let color = |background: &&str| json!({"background": background, "foreground": "#1d1d1d"});
    (1..).map(|id: usize| id.to_string()).zip(backgrounds.iter().map(color)).collect()
}
