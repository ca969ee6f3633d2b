//! SVG (W3C, Scalable Vector Graphics): XML whose root is `svg`.

/// Bytes before the root that are looked at.
const MAX_PROLOGUE: usize = 16 << 10;

/// Whether the root of an XML text is `svg`.
pub fn is_svg(head: &[u8]) -> bool {
    let head = head.get(..MAX_PROLOGUE).unwrap_or(head);
    // In UTF-16, every other byte of the names is zero.
    let text: Vec<u8> = match head {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => {
            rest.iter().copied().filter(|byte| *byte != 0).collect()
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.to_vec(),
        _ => head.to_vec(),
    };
    let mut rest = text.trim_ascii_start();
    loop {
        let end: &[u8] = match rest {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', ..] => return doctype_is_svg(rest),
            _ => return root_is_svg(rest),
        };
        let Some(at) = rest.windows(end.len()).position(|window| window == end) else { return false };
        rest = rest.get(at + end.len()..).unwrap_or_default().trim_ascii_start();
    }
}

/// Whether `<!DOCTYPE svg …` begins the text: the document type has the name of the root.
fn doctype_is_svg(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"<!DOCTYPE").or_else(|| text.strip_prefix(b"<!doctype")) else {
        return false;
    };
    ends_name(rest.trim_ascii_start().strip_prefix(b"svg"))
}

fn root_is_svg(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"<") else { return false };
    ends_name(rest.strip_prefix(b"svg:svg").or_else(|| rest.strip_prefix(b"svg")))
}

fn ends_name(rest: Option<&[u8]>) -> bool {
    rest.and_then(|rest| rest.first()).is_some_and(|next| next.is_ascii_whitespace() || b">/[".contains(next))
}
