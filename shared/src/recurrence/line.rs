//! A line of an event's `recurrence`: `NAME;PARAMETER=…:value`.

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// RRULE.
    Rule(&'a str),
    /// EXRULE.
    ExcludingRule(&'a str),
    /// RDATE.
    Dates(Dates<'a>),
    /// EXDATE.
    ExcludedDates(Dates<'a>),
}

/// The values of an RDATE or EXDATE line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dates<'a> {
    /// The name in TZID.
    pub(super) zone: Option<&'a str>,
    pub(super) values: &'a str,
}

impl<'a> Line<'a> {
    /// `None` for other lines. A rule may lack its name, as calendars from Outlook have it, and dates may follow
    /// `RRULE:DATE`, as Google has sent them.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let end = line.find([':', ';', '=']).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        match name.trim().to_ascii_uppercase().as_str() {
            _ if rest.starts_with('=') => Some(Self::Rule(line)),
            "RRULE" => {
                let (_, value) = rest.split_once(':')?;
                match value.trim().strip_prefix("DATE") {
                    Some(dates) => Dates::read(dates).map(Self::Dates),
                    None => Some(Self::Rule(value)),
                }
            }
            "EXRULE" => rest.split_once(':').map(|(_, value)| Self::ExcludingRule(value)),
            "RDATE" => Dates::read(rest).map(Self::Dates),
            "EXDATE" => Dates::read(rest).map(Self::ExcludedDates),
            _ => None,
        }
    }
}

impl<'a> Dates<'a> {
    /// Reads `;TZID=GMT+05:30:20270329T010000,…`. No date has a colon.
    fn read(rest: &'a str) -> Option<Self> {
        let (parameters, values) = rest.rsplit_once(':')?;
        let zone = parameters.split(';').find_map(|parameter| {
            let (name, zone) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("TZID").then(|| zone.trim().trim_matches('"'))
        });
        Some(Self { zone, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_however_it_is_written() {
        let dates = |zone, values| Some(Line::Dates(Dates { zone, values }));
        for (line, read) in [
            ("RRULE:FREQ=DAILY", Some(Line::Rule("FREQ=DAILY"))),
            (" rrule ;X-A=\"b\":FREQ=DAILY;X-URL=a://b ", Some(Line::Rule("FREQ=DAILY;X-URL=a://b"))),
            ("FREQ=DAILY", Some(Line::Rule("FREQ=DAILY"))),
            ("INTERVAL=2;FREQ=DAILY", Some(Line::Rule("INTERVAL=2;FREQ=DAILY"))),
            ("EXRULE:FREQ=DAILY", Some(Line::ExcludingRule("FREQ=DAILY"))),
            ("RDATE:1,2", dates(None, "1,2")),
            ("RRULE:DATE;TZID=Europe/Warsaw:1", dates(Some("Europe/Warsaw"), "1")),
            ("RDATE;VALUE=DATE;tzid=\"GMT+05:30\":1", dates(Some("GMT+05:30"), "1")),
            ("EXDATE;TZID=GMT+05:30:1", Some(Line::ExcludedDates(Dates { zone: Some("GMT+05:30"), values: "1" }))),
            ("", None),
            ("RDATE", None),
            ("DTSTART:20260101", None),
            ("ÄXDATE:1", None),
        ] {
            assert_eq!(Line::read(line), read, "{line}");
        }
    }
}
