//! What Google may do and need not.

use google_sim::{GuestEdits, PushAddresses, RefreshTokens};

use crate::{coverage::Fault, world::World};

/// Listings lag behind their notices, what a guest edits stays as it is or is refused, addresses are not good enough for
/// push, and refresh tokens are good for one use.
pub(super) fn change(world: &mut World) -> Option<String> {
    let lag = if world.sim.state().dice.percent(40) { world.sim.state().dice.between(500, 4_000) } else { 0 };
    let mut state = world.sim.state();
    let edits = *state.dice.pick(&[GuestEdits::Kept, GuestEdits::Ignored, GuestEdits::Refused]);
    let refuses_push = state.dice.percent(60);
    let rotates = state.dice.percent(40);
    let behaviour = state.google.behaviour_mut();
    behaviour.listing_lag_ms = u64::try_from(lag).unwrap_or(0);
    behaviour.guest_edits = edits;
    behaviour.push_addresses = if refuses_push { PushAddresses::Refused } else { PushAddresses::Accepted };
    behaviour.refresh_tokens = if rotates { RefreshTokens::Rotated } else { RefreshTokens::Kept };
    if lag > 0 {
        state.coverage.met(Fault::ListingLags);
    }
    if edits != GuestEdits::Kept {
        state.coverage.met(Fault::GuestsEditInVain);
    }
    Some(format!(
        "listings lag {lag} ms, guests' edits are {edits:?}, push refused: {refuses_push}, rotates: {rotates}"
    ))
}

/// Google does again as it always does.
pub(super) fn end(world: &World) {
    let mut state = world.sim.state();
    state.nameless = 0;
    let behaviour = state.google.behaviour_mut();
    behaviour.thin_pages = 0.0;
    behaviour.listing_lag_ms = 0;
    behaviour.push_addresses = PushAddresses::Accepted;
    behaviour.refresh_tokens = RefreshTokens::Kept;
}
