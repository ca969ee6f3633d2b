//! The learning rate over a training: one cycle (Smith and Topin, 2018) with the defaults of PyTorch's
//! `OneCycleLR`: up along a cosine for 30 % of the steps, then down to almost 0.

use std::f64::consts::PI;

const WARM_UP: f64 = 0.3;
const START: f64 = 1.0 / 25.0;
const END: f64 = START / 1e4;

/// The learning rate of step `step` (from 0) of `steps`; the highest is `peak`.
pub fn one_cycle(peak: f64, step: usize, steps: usize) -> f64 {
    let turn = WARM_UP * steps as f64 - 1.0;
    let at = step as f64;
    let cosine = |from: f64, to: f64, share: f64| to + (from - to) / 2.0 * (1.0 + (PI * share).cos());
    if at <= turn {
        peak * cosine(START, 1.0, at / turn.max(1.0))
    } else {
        let left = steps as f64 - 1.0 - turn;
        peak * cosine(1.0, END, ((at - turn) / left.max(1.0)).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OneCycleLR(optimizer, max_lr=0.1, total_steps=10)` as defined in PyTorch's source (cosine annealing,
    /// two phases), evaluated in Python.
    #[test]
    fn equals_pytorch() {
        let want = [
            0.0040000000000000036,
            0.052000000000000005,
            0.1,
            0.09504846320134738,
            0.0811745653949763,
            0.06112620219362893,
            0.03887419780637107,
            0.0188258346050237,
            0.004951936798652629,
            4e-07,
        ];
        for (step, want) in want.into_iter().enumerate() {
            assert!((one_cycle(0.1, step, 10) - want).abs() < 1e-12, "step {step}");
        }
    }
}
