//! Conferences: asked for with a request, and told with their entry points.

use serde_json::{Value, json};

use crate::error::{ApiError, Result};
use crate::random::hash;

/// The conference data that Google stores for `event` when `data` is written: a request for a conference is fulfilled
/// at once, and one that was fulfilled stays as it is.
pub(crate) fn stored(event: &str, data: &Value) -> Result<Value> {
    let Some(request) = data.get("createRequest").filter(|_| data.get("entryPoints").is_none()) else {
        return Ok(data.clone());
    };
    let missing = || ApiError::required("Missing conference request id.");
    let id = request.get("requestId").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or_else(missing)?;
    let kind = request.pointer("/conferenceSolutionKey/type").and_then(Value::as_str).unwrap_or("hangoutsMeet");
    if kind != "hangoutsMeet" {
        return Err(ApiError::invalid("Invalid conference type value."));
    }
    let code = meeting_code(hash(&format!("{event} {id}")));
    let key = json!({"type": kind});
    Ok(json!({
        "conferenceId": code,
        "conferenceSolution": {
            "iconUri": "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png",
            "key": key,
            "name": "Google Meet",
        },
        "createRequest": {"conferenceSolutionKey": key, "requestId": id, "status": {"statusCode": "success"}},
        "entryPoints": [{
            "entryPointType": "video",
            "label": format!("meet.google.com/{code}"),
            "uri": format!("https://meet.google.com/{code}"),
        }],
    }))
}

/// The address that `hangoutLink` shows: the video entry point of a conference of Google's own.
pub(crate) fn hangout_link(data: &Value) -> Option<&str> {
    let kind = data.pointer("/conferenceSolution/key/type").and_then(Value::as_str)?;
    let points = data.get("entryPoints").and_then(Value::as_array).filter(|_| kind == "hangoutsMeet")?;
    let video = points.iter().find(|point| point["entryPointType"] == "video")?;
    video["uri"].as_str()
}

/// Ten letters, three, four and three.
fn meeting_code(seed: u64) -> String {
    let mut rest = seed;
    let mut letters = String::new();
    for place in 0..10 {
        if matches!(place, 3 | 7) {
            letters.push('-');
        }
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters
}
