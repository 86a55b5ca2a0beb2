//! In which order servers are played: by chance, and balanced.
//!
//! What is played first may find a cold machine, and what is played last a tired one. So the places are dealt like a Latin
//! square whose rows, columns and names are shuffled: in each run of as many blocks as there are servers, everybody has
//! every place once.

/// The order of each block: who is played first, second, and so on.
pub(crate) fn order(servers: usize, blocks: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut orders = Vec::with_capacity(blocks);
    while orders.len() < blocks {
        let mut names: Vec<usize> = (0..servers).collect();
        let mut rows: Vec<usize> = (0..servers.max(1)).collect();
        let mut columns: Vec<usize> = (0..servers).collect();
        random.shuffle(&mut names);
        random.shuffle(&mut rows);
        random.shuffle(&mut columns);
        let square =
            rows.iter().map(|row| columns.iter().map(|column| names[(row + column) % servers]).collect());
        orders.extend(square);
    }
    orders.truncate(blocks);
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_every_place_equally_often() {
        for servers in [2, 3, 4] {
            let orders = order(servers, servers * 5, 7);
            for place in 0..servers {
                for server in 0..servers {
                    let times = orders.iter().filter(|order| order[place] == server).count();
                    assert_eq!(times, 5, "{orders:?}");
                }
            }
        }
    }

    #[test]
    fn each_block_plays_everybody_once_and_the_seed_decides_when() {
        let orders = order(3, 10, 1);
        assert_eq!(orders.len(), 10);
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2]);
        }
        assert_eq!(orders, order(3, 10, 1));
        assert_ne!(orders, order(3, 10, 2));
    }
}
