//! The demo tenant: two instructors who give a few lessons in the coming days.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::{Uuid, uuid};

use super::{
    Host,
    instructors::Instructor,
    lessons::{Lesson, Status},
    session::{ADA, TENANT},
};

const GRACE: Uuid = uuid!("5c7a1e00-0000-4000-8000-0000000000a2");

/// Instructor, name, address, zone.
const INSTRUCTORS: [(Uuid, &str, &str, Tz); 2] = [
    (ADA, "Ada Berger", "ada@example.com", Tz::Europe__Berlin),
    (GRACE, "Grace Hill", "grace@example.com", Tz::America__New_York),
];

/// Title, days from today, hour of the day, minutes.
const LESSONS: [(&str, u64, u32, i64); 4] = [
    ("Piano, beginners", 1, 10, 60),
    ("Music theory", 1, 15, 90),
    ("Piano, advanced", 3, 11, 60),
    ("Choir", 6, 18, 120),
];

/// Fills empty host tables; what is there already stays as it is.
pub async fn seed(host: &Host, now: DateTime<Utc>) -> anyhow::Result<()> {
    for (id, name, email, zone) in INSTRUCTORS {
        let instructor = Instructor { name: name.to_owned(), email: email.to_owned() };
        if !host.add_instructor(TENANT, id, &instructor).await? {
            continue;
        }
        for lesson in lessons(id, zone, now) {
            host.put_new(TENANT, &lesson).await?;
        }
    }
    Ok(())
}

fn lessons(instructor: Uuid, zone: Tz, now: DateTime<Utc>) -> impl Iterator<Item = Lesson> {
    let today = now.with_timezone(&zone).date_naive();
    LESSONS.into_iter().filter_map(move |(title, days, hour, minutes)| {
        let day = today.checked_add_days(Days::new(days))?;
        // A local time that a clock change skips makes no lesson.
        let starts_at =
            day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?).and_local_timezone(zone).earliest()?.to_utc();
        let ends_at = starts_at + TimeDelta::minutes(minutes);
        Some(Lesson::new(instructor, title, starts_at, ends_at, zone, Status::Scheduled))
    })
}
