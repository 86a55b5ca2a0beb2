//! The median: one slow run must not move what is told.

/// The middle of the values; of an even number of them, halfway between the two in the middle.
///
/// # Panics
///
/// Without any value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}
