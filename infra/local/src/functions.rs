//! The deployed functions by name, each taking an event as JSON and answering JSON, as on AWS Lambda.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use lambda_http::{
    Adapter, Body, Context, LambdaEvent, Request, Response, Service as _, request::LambdaRequest, service_fn,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::system;

/// How long an invocation may take. The longest of the template, for all of them.
const TIMEOUT: Duration = Duration::from_mins(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Handler = Arc<dyn Fn(Value, Context) -> BoxFuture<'static, Result<Value, Failure>> + Send + Sync>;

#[derive(Clone)]
pub struct Functions {
    timeout: Duration,
    handlers: HashMap<&'static str, Handler>,
    /// Held for reading by each invocation that is under way.
    busy: Arc<RwLock<()>>,
}

/// An invocation that brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// No function has this name.
    #[error("no function is called `{0}`")]
    Unknown(String),
    /// The function answered with an error, or could not read the event.
    #[error("the function failed: {0}")]
    Failed(Failure),
    #[error("the function panicked")]
    Panicked,
    /// The function took too long and was stopped.
    #[error("the function timed out")]
    TimedOut,
}

impl Functions {
    /// Deploys a function that answers HTTP requests.
    pub fn http<F, Answer>(&mut self, name: &'static str, handle: F)
    where
        F: Fn(Request) -> Answer + Clone + Send + Sync + 'static,
        Answer: Future<Output = Response<Body>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |event, context| {
            let handle = handle.clone();
            Box::pin(async move {
                let request: LambdaRequest = serde_json::from_value(event)?;
                let answer = service_fn(move |request| {
                    let answer = handle(request);
                    async move { Ok::<_, Failure>(answer.await) }
                });
                let response = Adapter::from(answer).call(LambdaEvent::new(request, context)).await?;
                Ok(serde_json::to_value(response)?)
            })
        });
        self.handlers.insert(name, handler);
    }

    /// Deploys a function that handles events.
    pub fn events<Event, Output, Error, F, Answer>(&mut self, name: &'static str, handle: F)
    where
        Event: DeserializeOwned + Send,
        Output: Serialize,
        Error: Into<Failure>,
        F: Fn(Event) -> Answer + Clone + Send + Sync + 'static,
        Answer: Future<Output = Result<Output, Error>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |event, _| {
            let handle = handle.clone();
            Box::pin(async move {
                let answer = handle(serde_json::from_value(event)?);
                Ok(serde_json::to_value(answer.await.map_err(Into::into)?)?)
            })
        });
        self.handlers.insert(name, handler);
    }

    /// Invokes a function and waits for its answer.
    pub async fn invoke(&self, name: &str, event: Value) -> Result<Value, InvocationError> {
        let handler = self.handlers.get(name).ok_or_else(|| InvocationError::Unknown(name.to_owned()))?;
        let answer = handler(event, context(self.timeout));
        let busy = self.busy.clone().read_owned().await;
        let mut invocation = tokio::spawn(async move {
            let _busy = busy;
            answer.await
        });
        match tokio::time::timeout(self.timeout, &mut invocation).await {
            Ok(Ok(outcome)) => outcome.map_err(InvocationError::Failed),
            Ok(Err(_)) => Err(InvocationError::Panicked),
            Err(_) => {
                invocation.abort();
                Err(InvocationError::TimedOut)
            }
        }
    }

    /// Waits until no invocation is under way, also of those whose caller has gone.
    pub async fn idle(&self) {
        drop(self.busy.write().await);
    }
}

impl Default for Functions {
    fn default() -> Self {
        Self { timeout: TIMEOUT, handlers: HashMap::new(), busy: Arc::default() }
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

fn context(timeout: Duration) -> Context {
    let mut context = Context::default();
    context.request_id = system::random_id().to_string();
    context.deadline = u64::try_from((system::now() + timeout).timestamp_millis()).unwrap_or_default();
    context
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_panic_stays_within_its_invocation() {
        let mut functions = Functions::default();
        functions.events("careless", |event: Value| async move {
            assert_ne!(event, json!("boom"), "on purpose");
            Ok::<_, Failure>(event)
        });
        let panicked = functions.invoke("careless", json!("boom")).await;
        assert!(matches!(panicked, Err(InvocationError::Panicked)));
        assert_eq!(functions.invoke("careless", json!("fine")).await.unwrap(), "fine");
    }

    #[tokio::test]
    async fn idle_waits_for_an_invocation_whose_caller_has_gone() {
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let mut functions = Functions::default();
        functions.events("slow", move |_: Value| {
            let end = end.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                end.store(true, Ordering::SeqCst);
                Ok::<_, Failure>(())
            }
        });
        let caller = tokio::time::timeout(Duration::from_millis(10), functions.invoke("slow", json!(null)));
        assert!(caller.await.is_err());
        functions.idle().await;
        assert!(ended.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn an_invocation_that_takes_too_long_is_stopped() {
        let mut functions = Functions { timeout: Duration::from_millis(10), ..Functions::default() };
        functions.events("stuck", |_: Value| std::future::pending::<Result<Value, Failure>>());
        let stopped = functions.invoke("stuck", json!(null)).await;
        assert!(matches!(stopped, Err(InvocationError::TimedOut)));
    }
}
