//! Stands before AWS and Google, counts the calls that change something, and interrupts one of them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use local_stack::upstream::Upstream;
use tokio::{net::TcpListener, sync::Notify};

/// What becomes of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// The caller dies before it is carried out.
    DiesBefore,
    /// The caller dies when it has been carried out.
    DiesAfter,
    Fails,
    /// It is carried out, and the caller is told that it failed.
    FailsAfterwards,
    /// It is lost: no answer comes, and the caller gives up waiting.
    TimesOut,
    /// It is carried out, and its answer is lost.
    TimesOutAfterwards,
}

pub const BLOWS: [Blow; 6] =
    [Blow::DiesBefore, Blow::DiesAfter, Blow::Fails, Blow::FailsAfterwards, Blow::TimesOut, Blow::TimesOutAfterwards];

/// Who waits for the n-th effect.
enum Trap {
    Blow(u32, Blow),
    /// The call waits before it is carried out.
    Pause(u32),
    Off,
}

pub struct Interrupter {
    trap: Mutex<Trap>,
    passed: AtomicU32,
    struck: Notify,
    resumed: Notify,
}

/// How an interrupted call ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// By itself, without having come to the n-th effect.
    Undisturbed(T),
    /// By itself, although its n-th effect failed or was not answered.
    Failed(T),
    Died,
}

impl Interrupter {
    pub fn new() -> Arc<Self> {
        let (struck, resumed) = (Notify::new(), Notify::new());
        Arc::new(Self { trap: Mutex::new(Trap::Off), passed: AtomicU32::new(0), struck, resumed })
    }

    /// An address whose calls reach `upstream`, unless they are interrupted.
    pub async fn before(self: &Arc<Self>, upstream: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(pass_on)
            .with_state((Arc::clone(self), Upstream::new(upstream.trim_start_matches("http://")).unwrap()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn set(&self, trap: Trap) {
        *self.trap.lock().unwrap() = trap;
        self.passed.store(0, Ordering::SeqCst);
    }

    /// The trap, if it is meant for this passing: it springs once.
    fn sprung(&self, passing: u32) -> Trap {
        let mut trap = self.trap.lock().unwrap();
        match *trap {
            Trap::Blow(nth, _) | Trap::Pause(nth) if nth == passing => std::mem::replace(&mut trap, Trap::Off),
            Trap::Blow(..) | Trap::Pause(_) | Trap::Off => Trap::Off,
        }
    }

    /// Makes `call` and interrupts its n-th effect.
    pub async fn strike<T>(&self, nth: u32, blow: Blow, call: impl Future<Output = T>) -> Ended<T> {
        self.set(Trap::Blow(nth, blow));
        let ended = tokio::select! {
            answer = call => if self.passed.load(Ordering::SeqCst) < nth { Ended::Undisturbed(answer) } else { Ended::Failed(answer) },
            () = self.struck.notified() => Ended::Died,
        };
        self.set(Trap::Off);
        ended
    }

    /// Makes `call`, and makes `meanwhile` while the former waits before its n-th effect. `None` when it has none.
    pub async fn amid<T, M>(
        &self,
        nth: u32,
        call: impl Future<Output = T>,
        meanwhile: impl Future<Output = M>,
    ) -> (T, Option<M>) {
        self.set(Trap::Pause(nth));
        let mut call = std::pin::pin!(call);
        tokio::select! {
            answer = &mut call => (answer, None),
            () = self.struck.notified() => {
                let between = meanwhile.await;
                self.resumed.notify_one();
                (call.await, Some(between))
            }
        }
    }
}

async fn pass_on(
    State((interrupter, upstream)): State<(Arc<Interrupter>, Upstream)>,
    request: Request,
) -> Response<Body> {
    if !changes_something(&request) {
        return upstream.forward(request).await;
    }
    let passing = interrupter.passed.fetch_add(1, Ordering::SeqCst) + 1;
    let to_aws = request.headers().contains_key("x-amz-target");
    match interrupter.sprung(passing) {
        Trap::Off => upstream.forward(request).await,
        Trap::Pause(_) => {
            interrupter.struck.notify_one();
            interrupter.resumed.notified().await;
            upstream.forward(request).await
        }
        Trap::Blow(_, Blow::DiesBefore) => {
            interrupter.struck.notify_one();
            std::future::pending().await
        }
        Trap::Blow(_, Blow::DiesAfter) => {
            upstream.forward(request).await;
            interrupter.struck.notify_one();
            std::future::pending().await
        }
        Trap::Blow(_, Blow::TimesOut) => std::future::pending().await,
        Trap::Blow(_, Blow::TimesOutAfterwards) => {
            upstream.forward(request).await;
            std::future::pending().await
        }
        Trap::Blow(_, Blow::Fails) => failure(to_aws),
        Trap::Blow(_, Blow::FailsAfterwards) => {
            upstream.forward(request).await;
            failure(to_aws)
        }
    }
}

/// A failure after which AWS's client does not try again, and one after which Google's may.
fn failure(to_aws: bool) -> Response {
    if to_aws {
        (StatusCode::BAD_REQUEST, r#"{"__type":"AccessDeniedException","message":"interrupted"}"#).into_response()
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

fn changes_something(request: &Request) -> bool {
    let Some(target) = request.headers().get("x-amz-target") else { return request.method() != Method::GET };
    let (service, operation) = target.to_str().unwrap().split_once('.').unwrap();
    match service {
        "DynamoDB_20120810" => !["GetItem", "Query", "BatchGetItem"].contains(&operation),
        "AmazonSQS" => operation == "SendMessage",
        _ => false,
    }
}
