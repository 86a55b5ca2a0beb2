//! The median, and pairs: one slow run must not move what is told.

/// The middle of the values; of an even number of them, halfway between the two in the middle.
///
/// # Panics
///
/// Without any value.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Two sides of a comparison, measured in turn.
pub(crate) struct Pairs {
    floor: Vec<f64>,
    ours: Vec<f64>,
}

impl Pairs {
    /// Measures both sides so often, in the order A B B A.
    pub(crate) fn measure(
        pairs: usize,
        mut floor: impl FnMut() -> f64,
        mut ours: impl FnMut() -> f64,
    ) -> Pairs {
        let mut taken = Pairs { floor: Vec::new(), ours: Vec::new() };
        for pair in 0..pairs {
            if pair % 2 == 0 {
                taken.floor.push(floor());
                taken.ours.push(ours());
            } else {
                taken.ours.push(ours());
                taken.floor.push(floor());
            }
        }
        taken
    }

    /// Prints the medians of both sides, and that of the ratios taken pair by pair.
    pub(crate) fn print(&self, title: &str, floor: &str, ours: &str, unit: &str) {
        let ratios: Vec<f64> = self.floor.iter().zip(&self.ours).map(|(floor, ours)| ours / floor).collect();
        println!("{title}");
        println!("  {floor:<26}{:>9.2} {unit} (median of {})", median(&self.floor), self.floor.len());
        println!("  {ours:<26}{:>9.2} {unit}", median(&self.ours));
        let (least, most) = ratios.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), r| (l.min(*r), m.max(*r)));
        println!("  {:<26}{:>9.2} ({least:.2} to {most:.2})", "ratio", median(&ratios));
    }
}
