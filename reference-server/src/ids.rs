//! Keys that nobody else has, and ids that nobody can guess.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of randomness in an id.
const BYTES: usize = 15;

/// Gives out keys and ids.
#[derive(Debug)]
pub(crate) struct Ids {
    next_key: Cell<u64>,
    random: RefCell<Vec<u8>>,
    /// For the fault of ids that can be guessed.
    counted: bool,
}

impl Ids {
    pub(crate) fn new(counted: bool) -> Ids {
        Ids { next_key: Cell::new(1), random: RefCell::default(), counted }
    }

    /// A number nobody else has.
    pub(crate) fn new_key(&self) -> u64 {
        self.next_key.replace(self.next_key.get() + 1)
    }

    /// An id that cannot be guessed: 120 random bits, safe in a URL.
    pub(crate) fn new_id(&self) -> Rc<str> {
        if self.counted {
            return Rc::from(self.new_key().to_string());
        }
        Rc::from(URL_SAFE_NO_PAD.encode(self.draw::<BYTES>()))
    }

    /// A number that no other node has either, and not 0.
    pub(crate) fn new_number(&self) -> u64 {
        u64::from_be_bytes(self.draw()).max(1)
    }

    fn draw<const COUNT: usize>(&self) -> [u8; COUNT] {
        let mut random = self.random.borrow_mut();
        if random.len() < COUNT {
            random.resize(BYTES * 64, 0);
            if let Err(error) = getrandom::fill(&mut random) {
                // Guessable ids would be worse than no server.
                panic!("the system has no randomness: {error}");
            }
        }
        let mut drawn = [0; COUNT];
        let start = random.len() - COUNT;
        drawn.copy_from_slice(&random[start..]);
        random.truncate(start);
        drawn
    }
}
