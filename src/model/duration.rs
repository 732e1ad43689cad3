//! Durations as users type them.

/// Converts `5m` and `1h30m` to seconds; leaves anything else as it is.
pub(super) fn seconds(text: &str) -> String {
    let (mut total, mut digits, mut last) = (0u64, String::new(), u64::MAX);
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return text.to_owned(),
        };
        // Each unit at most once, longer ones first.
        let Some(part) = digits.parse::<u64>().ok().filter(|_| unit < last).and_then(|number| number.checked_mul(unit))
        else {
            return text.to_owned();
        };
        let Some(sum) = total.checked_add(part) else { return text.to_owned() };
        (total, last) = (sum, unit);
        digits.clear();
    }
    if digits.is_empty() && last != u64::MAX { total.to_string() } else { text.to_owned() }
}
