//! What benchmarks of servers need: servers to compare, a way to play a scenario before one, and the median.

pub mod alone;
pub mod contender;
pub mod play;
pub mod statistics;
