//! What Google's token and revocation endpoints answer, id tokens included.
//! Input: what is asked, the status, the body.
#![no_main]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use calendar_fuzz::{Hand, Told, config, wait};
use calendar_sync::{
    adapters::google::GoogleLogin,
    model::CalendarOAuthTokens,
    ports::{Clock, Login},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [asked, status, body @ ..] = data else { return };
    let status = [200_u16, 400, 401, 503][usize::from(status % 4)];
    let answer = http::Response::builder().status(status).header("content-type", "application/json");
    let told = Told(Arc::new(Mutex::new(VecDeque::from([answer.body(body.to_vec()).expect("an answer")]))));
    let set_up = config().google().expect("a set-up");
    let login = GoogleLogin::new(Arc::new(told), &set_up, &"secret".to_owned().into()).expect("a client");
    let (now, secret) = (Hand::new().now(), || "secret".to_owned().into());
    wait(async {
        match asked % 3 {
            0 => drop(login.exchange(&secret(), &secret(), now).await),
            1 => drop(login.refresh(&secret(), now).await),
            _ => {
                let tokens = CalendarOAuthTokens { access_token: secret(), refresh_token: secret(), expires_at: now };
                drop(login.revoke(&tokens).await);
            }
        }
    });
});
