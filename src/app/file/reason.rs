//! Why a file has its verdict, in one line, from its nearest samples.

use crate::escape;
use crate::library::{Contents, Neighbour};
use crate::workflow::Verdict;

/// From this cosine on, in every view, two files are nearly identical: the same code with another signature or overlay.
const NEARLY: f32 = 0.9995;

/// The reason for a verdict.
pub fn reason(contents: &Contents, verdict: Option<&Verdict>, neighbours: &[Neighbour]) -> String {
    let label = |neighbour: &Neighbour| contents.get(neighbour.sha256).and_then(|entry| entry.label);
    let name = |neighbour: &Neighbour| {
        contents.get(neighbour.sha256).map(|entry| escape::file_name(entry.path)).unwrap_or_default()
    };
    let Some(nearest) = neighbours.first() else {
        return "The library has no other sample to compare it with.".to_owned();
    };
    let at = nearest.distance;
    match verdict {
        Some(Verdict::Identical { .. }) => {
            format!("Identical to {}, {} in the library.", name(nearest), labelled(label(nearest)))
        }
        Some(Verdict::Nothing) => {
            "No view has anything to go by: too little text, no code, and no names in a header. Zeros, noise and packed programs are like this."
                .to_owned()
        }
        Some(Verdict::Unlike { .. }) => {
            format!("The nearest sample, {}, is at {at:.2}: too far to be of its family.", labelled(label(nearest)))
        }
        Some(Verdict::Undecided { labels, .. }) => match labels.as_slice() {
            [first, second] => {
                let other = neighbours.iter().find(|neighbour| label(neighbour) == Some(second));
                let other = other.map_or(at, |other| other.distance);
                format!(
                    "The nearest sample is {}, at {at:.2}; the nearest {} is at {other:.2}, about as likely.",
                    escape::text(first),
                    escape::text(second)
                )
            }
            _ => format!(
                "The nearest sample, {}, is at {at:.2}: the file is less likely of its family than of another.",
                labelled(label(nearest))
            ),
        },
        Some(Verdict::Known { label: None, .. }) => {
            format!("The nearest sample, {}, is at {at:.2} and has no label.", name(nearest))
        }
        Some(Verdict::Known { .. }) | None => run_of_labels(neighbours, label),
    }
}

/// "The 6 nearest are psutil, at 0.01 to 0.06. The next label, pillow, begins at 0.94."
fn run_of_labels<'a>(neighbours: &[Neighbour], label: impl Fn(&Neighbour) -> Option<&'a str>) -> String {
    let Some(nearest) = neighbours.first() else { return String::new() };
    let first = label(nearest);
    let run = neighbours.iter().take_while(|neighbour| label(neighbour) == first).count();
    let last = neighbours.get(run.saturating_sub(1)).unwrap_or(nearest).distance;
    let at = nearest.distance;
    let range = if format!("{at:.2}") == format!("{last:.2}") {
        format!("{at:.2}")
    } else {
        format!("{at:.2} to {last:.2}")
    };
    let what = match (first, run) {
        (None, 1) => "The nearest has no label".to_owned(),
        (None, n) => format!("The {n} nearest have no label"),
        (Some(name), 1) => format!("The nearest is {}", escape::text(name)),
        (Some(name), n) if n == neighbours.len() => format!("The {n} nearest are all {}", escape::text(name)),
        (Some(name), n) => format!("The {n} nearest are {}", escape::text(name)),
    };
    let other =
        neighbours.iter().skip(run).find_map(|neighbour| Some((label(neighbour)?, neighbour.distance)));
    match other {
        Some((name, at)) => {
            format!("{what}, at {range}. The next label, {}, begins at {at:.2}.", escape::text(name))
        }
        None => format!("{what}, at {range}."),
    }
}

/// That a file is nearly identical to its nearest sample, if it is.
pub fn nearly_identical(contents: &Contents, neighbours: &[Neighbour]) -> Option<String> {
    let nearest = neighbours.first()?;
    let cosines: Vec<f32> = nearest.cosines?.all().into_iter().flatten().collect();
    if cosines.len() < 2 || cosines.iter().any(|cosine| *cosine < NEARLY) {
        return None;
    }
    let name = escape::file_name(contents.get(nearest.sha256)?.path);
    if nearest.cosines.is_some_and(|cosines| cosines.image.is_some()) {
        return Some(format!("Nearly identical to {name}: the same picture, scaled or saved again."));
    }
    Some(format!("Nearly identical to {name}: the same text, code and names, and other bytes around them."))
}

fn labelled(label: Option<&str>) -> String {
    label.map_or_else(|| "without a label".to_owned(), escape::text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sha256;

    fn near(distances: &[f32]) -> Vec<Neighbour> {
        distances
            .iter()
            .zip(0..)
            .map(|(distance, i)| Neighbour { sha256: Sha256([i; 32]), distance: *distance, cosines: None })
            .collect()
    }

    #[test]
    fn the_reason_names_the_labels_and_their_distances() {
        let label =
            |neighbour: &Neighbour| if neighbour.sha256.0[0] < 2 { Some("psutil") } else { Some("pillow") };
        let found = run_of_labels(&near(&[0.011, 0.058, 0.941]), label);
        assert_eq!(
            found,
            "The 2 nearest are psutil, at 0.01 to 0.06. The next label, pillow, begins at 0.94."
        );
        assert_eq!(run_of_labels(&near(&[0.011, 0.012]), label), "The 2 nearest are all psutil, at 0.01.");
        assert_eq!(run_of_labels(&near(&[0.2]), |_| None), "The nearest has no label, at 0.20.");
    }
}
