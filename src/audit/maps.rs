//! Maps whose keys are numbers of our own, or texts of a scenario: seeded by chance, and fast.

pub(super) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
