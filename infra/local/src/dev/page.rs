//! The local page: plain files, served as they are.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};

/// `GET /` and what it loads.
pub fn router() -> Router {
    let files = [
        ("/", "text/html; charset=utf-8", include_str!("../../page/index.html")),
        ("/page.css", "text/css; charset=utf-8", include_str!("../../page/page.css")),
        ("/page.js", "text/javascript; charset=utf-8", include_str!("../../page/page.js")),
    ];
    files.into_iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(CONTENT_TYPE, kind)], content) }))
    })
}
