//! What differs from run to run, made the same: ages, moments, uids, resource versions. Columns stay where
//! they are.

/// Every rule below.
pub fn redact(text: &str) -> String {
    let text = scan(text, moment, "[TIME]");
    let text = scan(&text, uid, "[UID]");
    let text = scan(&text, draft, "kubectl-canary-traefik-[X]");
    ages(&resource_versions(&text))
}

/// Replaces what `find` recognises at the beginning of a word by `with`; `find` returns how many bytes it is.
fn scan(text: &str, find: fn(&str) -> Option<usize>, with: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside_word = false;
    while let Some(next) = rest.chars().next() {
        if let Some(length) = (!inside_word).then(|| find(rest)).flatten() {
            done.push_str(with);
            rest = &rest[length..];
            inside_word = true;
        } else {
            inside_word = next.is_alphanumeric();
            done.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    done
}

/// How long a text of this shape at the beginning is: `9` is a digit, `f` a hexadecimal one, the rest itself.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let matches = |byte: u8, shape: u8| match shape {
        b'9' => byte.is_ascii_digit(),
        b'f' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        other => byte == other,
    };
    let bytes = text.as_bytes().get(..shape.len())?;
    bytes.iter().zip(shape.as_bytes()).all(|(&byte, &shape)| matches(byte, shape)).then_some(shape.len())
}

/// A moment as in RFC 3339.
fn moment(text: &str) -> Option<usize> {
    let mut length = shaped(text, "9999-99-99T99:99:99")?;
    if text[length..].starts_with('.') {
        length += 1 + text[length + 1..].bytes().take_while(u8::is_ascii_digit).count();
    }
    let zone = &text[length..];
    let zone = if zone.starts_with('Z') { Some(1) } else { shaped(zone, "+99:99").or_else(|| shaped(zone, "-99:99")) };
    Some(length + zone?)
}

/// The folder of a text in the editor.
fn draft(text: &str) -> Option<usize> {
    shaped(text, "kubectl-canary-traefik-ffffffffffffffff")
}

fn uid(text: &str) -> Option<usize> {
    shaped(text, "ffffffff-ffff-ffff-ffff-ffffffffffff")
}

/// The digits after `resourceVersion:`, in YAML and in JSON.
fn resource_versions(text: &str) -> String {
    const KEY: &str = "resourceVersion";
    let mut parts = text.split(KEY);
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        done.push_str(KEY);
        let value = part.trim_start_matches(['"', ':', ' ', '\\']);
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        done.push_str(&part[..part.len() - value.len()]);
        if digits > 0 {
            done.push_str("[RV]");
        }
        done.push_str(&value[digits..]);
    }
    done
}

/// Ages in the column AGE of a table, and before the word `ago`.
fn ages(text: &str) -> String {
    let mut column = None;
    let mut done = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
        let head = content.split_whitespace().any(|word| word == "AGE" || word == "Age");
        if head {
            column = position(content);
        } else if content.trim().is_empty() {
            column = None;
        }
        let content = match column {
            Some(column) if !head => age_at(content, column),
            _ => content.to_owned(),
        };
        done.push_str(&before_ago(&content));
        done.push_str(end);
    }
    done
}

/// In which column, counted in characters, the head AGE begins.
fn position(head: &str) -> Option<usize> {
    let byte = head.find("AGE").or_else(|| head.find("Age"))?;
    Some(head[..byte].chars().count())
}

fn age_at(line: &str, column: usize) -> String {
    let byte = line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte);
    let (before, cell) = line.split_at(byte);
    let word = cell.split(' ').next().unwrap_or_default();
    if !is_age(word) || !(before.is_empty() || before.ends_with(' ')) {
        return line.to_owned();
    }
    let rest = &cell[word.len()..];
    // Of an event that came several times: `(x2 over 61s)`.
    let often = rest.strip_prefix(" (x").and_then(|often| often.split_once(')'));
    let after = often.map_or(rest, |(_, after)| after).trim_start();
    if after.is_empty() {
        return format!("{before}[A]");
    }
    format!("{before}{:width$}{after}", "[A]", width = cell.len() - after.len())
}

fn before_ago(line: &str) -> String {
    let mut parts = line.split(" ago");
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let start = done.rfind([' ', '(']).map_or(0, |space| space + 1);
        if is_age(&done[start..]) {
            done.truncate(start);
            done.push_str("[A]");
        }
        done.push_str(" ago");
        done.push_str(part);
    }
    done
}

/// `12s`, `3m20s`, `5d`, `2y34d`.
fn is_age(word: &str) -> bool {
    let mut digits = 0;
    !word.is_empty()
        && word.ends_with(|last: char| last.is_ascii_alphabetic())
        && word.chars().all(|letter| match letter {
            '0'..='9' => {
                digits += 1;
                true
            }
            's' | 'm' | 'h' | 'd' | 'y' => std::mem::take(&mut digits) > 0,
            _ => false,
        })
}
