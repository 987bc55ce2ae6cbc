//! The page, as `npm run build` leaves it in `frontend/demo/dist`.

use axum::{
    Router,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tower_http::services::ServeDir;

const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../frontend/demo/dist");
const NOT_BUILT: &str =
    "<!doctype html><title>Not built</title><p>The page is not built; <code>make run</code> builds it.";

/// `GET /` and what it loads.
pub fn router() -> Router {
    Router::new().route("/", get(page)).nest_service("/assets", ServeDir::new(format!("{BUILT}/assets")))
}

async fn page() -> Response {
    match tokio::fs::read_to_string(format!("{BUILT}/index.html")).await {
        Ok(page) => Html(page).into_response(),
        Err(_) => (StatusCode::NOT_FOUND, Html(NOT_BUILT)).into_response(),
    }
}
