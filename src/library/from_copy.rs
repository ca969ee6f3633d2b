//! That a team's library answers from its copy on this machine, and how old that is.

/// Minutes of an hour, and hours of two days.
const HOUR: i64 = 60;
const TWO_DAYS: i64 = 48 * HOUR;

/// Why a library answers from its copy, and how old that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromCopy {
    /// The server that cannot be reached.
    pub host: String,
    /// When the copy was last as the server had it, as RFC 3339 in UTC.
    pub refreshed: String,
    /// Minutes since then.
    pub minutes: i64,
    /// What the network said.
    pub why: String,
}

impl FromCopy {
    /// As of now.
    pub(super) fn new(host: String, refreshed: &str, why: String) -> Self {
        let now = jiff::Timestamp::now().as_second();
        let then = refreshed.parse::<jiff::Timestamp>().map_or(now, jiff::Timestamp::as_second);
        Self { host, refreshed: refreshed.to_owned(), minutes: (now - then).max(0) / 60, why }
    }

    /// How old the copy is, for people.
    pub fn age(&self) -> String {
        match self.minutes {
            0 => "less than a minute old".to_owned(),
            minutes @ ..HOUR => format!("{minutes} min old"),
            minutes @ HOUR..TWO_DAYS => format!("{} h old", minutes / HOUR),
            minutes => format!("{} days old", minutes / (24 * HOUR)),
        }
    }
}

impl std::fmt::Display for FromCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (date, time) = self.refreshed.split_once('T').unwrap_or((&self.refreshed, ""));
        let time = time.get(..5).unwrap_or(time);
        let (host, age) = (&self.host, self.age());
        write!(f, "{host} cannot be reached: answers are from the copy of {date} {time} UTC, {age}")
    }
}

/// The time, as RFC 3339 in UTC.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_says_how_old_it_is() {
        let mut copy = FromCopy::new("db.example".to_owned(), &now(), String::new());
        assert!(copy.minutes == 0 && copy.to_string().ends_with("UTC, less than a minute old"), "{copy}");
        copy.refreshed = "2026-11-27T14:03:09Z".to_owned();
        for (minutes, age) in
            [(5, "5 min old"), (125, "2 h old"), (47 * 60, "47 h old"), (49 * 60, "2 days old")]
        {
            copy.minutes = minutes;
            assert_eq!(
                copy.to_string(),
                format!(
                    "db.example cannot be reached: answers are from the copy of 2026-11-27 14:03 UTC, {age}"
                )
            );
        }
    }
}
