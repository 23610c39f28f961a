use serde::{Deserialize, Serialize};

/// Where the time comes from, so that tests decide it.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// UTC time in milliseconds since 1970-01-01T00:00:00Z, written as RFC 3339 (`2026-01-17T12:00:00.000Z`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp {
    /// Milliseconds since the epoch.
    pub unix_ms: u64,
}

impl Timestamp {
    /// Reads a day or a time in UTC as RFC 3339 writes them: `2026-01-17`, `2026-01-17T12:00:00Z`, `2026-01-17T12:00:00.250Z`. No other
    /// offset than `Z`, nothing before 1970, no leap seconds.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
        let (clock, fraction) = match time.strip_suffix('Z')?.split_once('.') {
            Some((clock, fraction)) if (1..=3).contains(&fraction.len()) => (clock, format!("{fraction:0<3}")),
            Some(_) => return None,
            None => (time.strip_suffix('Z')?, "000".to_owned()),
        };
        let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let [fraction] = numbers(&fraction, '.', [3])?;
        if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        // The calendar's years begin on 1 March here, so that the day of a leap year is its last.
        let (year_from_march, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
        let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
        let parsed = Self { unix_ms: ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction };
        // A day that the month does not have would be read as one of the next month.
        parsed.to_string().starts_with(text.get(..10)?).then_some(parsed)
    }
}

/// Numbers of fixed widths with a separator between.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, ms) = (self.unix_ms / 86_400_000, self.unix_ms % 86_400_000);
        // Gregorian calendar from a day number, in eras of 400 years that start on 1 March.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
    }
}

#[cfg(test)]
mod tests;
