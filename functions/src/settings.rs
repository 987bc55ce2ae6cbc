//! `PATCH /api/v1/calendar/settings`: changes the settings of a connection.

use calendar_sync::{
    Error, ErrorKind, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, reply},
    model::SettingsPatch,
    usecases::change_settings::ChangeSettings,
};
use lambda_http::{Body, Request, Response};

use crate::view;

pub struct Deps {
    settings: ChangeSettings,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let settings = ChangeSettings {
            store: bootstrap.store(),
            sync_queue: bootstrap.sync_queue()?,
            clock: bootstrap.clock(),
            random: bootstrap.random(),
        };
        Ok(Self { settings, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(change(deps, &request).await)
}

async fn change(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let body = JsonBody::of(request)?;
    let key = caller.connection_of(body.instructor()?)?;
    let patch = SettingsPatch {
        sync_enabled: body.flag("syncEnabled")?,
        sync_direction: body.parsed("syncDirection", "is not one of to_google, from_google and two_way")?,
        auto_sync: body.flag("autoSync")?,
        sync_interval_minutes: body.whole("syncIntervalMinutes")?,
        share_titles: body.flag("shareTitles")?,
    };
    if patch.share_titles.is_some() && !caller.is(key.instructor_id) {
        let text = "The instructor alone decides who sees the titles of their events.";
        return Err(Error::new(ErrorKind::Forbidden, "instructor_only", text));
    }
    let settings = deps.settings.change(key, &patch, &caller.acts_for(key.instructor_id)).await?;
    reply::ok(&view::connection::settings(&settings))
}
