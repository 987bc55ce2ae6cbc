//! EventBridge rules with a schedule expression.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html>

use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    aws::{ACCOUNT, REGION},
    functions::Functions,
    system,
};

/// A function that is invoked at a fixed rate.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub function: &'static str,
    /// From one invocation to the next.
    pub every: Duration,
}

impl Schedule {
    /// Invokes the function at once and then at its rate, for as long as the process lives.
    pub async fn run(self, functions: Functions) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = functions.invoke(self.function, self.event()).await {
                tracing::error!(function = self.function, %error, "the schedule goes on");
            }
        }
    }

    fn event(self) -> Value {
        json!({
            "version": "0",
            "id": system::random_id(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": system::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            "region": REGION,
            "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", self.function)],
            "detail": {},
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use aws_lambda_events::eventbridge::EventBridgeEvent;

    use super::*;

    #[tokio::test]
    async fn a_schedule_goes_on_after_a_failure() {
        let invocations = Arc::new(AtomicU32::new(0));
        let counter = invocations.clone();
        let mut functions = Functions::default();
        functions.events("poll", move |event: EventBridgeEvent| {
            assert_eq!(event.detail_type, "Scheduled Event");
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err::<(), _>("on purpose"))
        });
        let schedule = Schedule { function: "poll", every: Duration::from_millis(10) };
        let running = tokio::spawn(schedule.run(functions));
        while invocations.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        running.abort();
    }
}
