//! Shrinks a failing script: leaves out steps that its failure does not need.

use crate::history::{Script, play};

/// The shortest script that was found to fail like `script`, leaving out ever smaller parts of it.
pub fn shrink(script: &Script) -> Script {
    let kind = |script: &Script| play(script).1.err().map(|failure| failure.kind());
    let wanted = kind(script);
    let mut shortest = script.clone();
    let mut part = shortest.steps.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < shortest.steps.len() {
            let mut shorter = shortest.clone();
            let to = (from + part).min(shorter.steps.len());
            shorter.steps.drain(from..to);
            if kind(&shorter) == wanted {
                shortest = shorter;
            } else {
                from += part;
            }
        }
        part /= 2;
    }
    shortest
}
