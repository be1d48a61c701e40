//! Room of this server that accounts share: as much as there is for whoever needs it, and always some for the others.

use std::{collections::HashMap, sync::Arc};

use frontdesk_core::id::AccountId;
use parking_lot::Mutex;

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Places of all accounts together.
    pub(super) places_max: usize,
    /// An account that has so many gets no more once only `kept_free` places are left.
    pub(super) large: usize,
    /// Places that only accounts which are not large get.
    pub(super) kept_free: usize,
}

/// Places, and who has them.
#[derive(Debug)]
pub(super) struct Room {
    size: Size,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_account: HashMap<AccountId, usize>,
}

/// A place of an account, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    account: AccountId,
}

impl Room {
    pub(super) fn new(size: Size) -> Arc<Self> {
        Arc::new(Self { size, taken: Mutex::default() })
    }

    /// A place for an account; `None` where it gets no more now.
    pub(super) fn take(self: &Arc<Self>, account: AccountId) -> Option<Place> {
        let Size { places_max, large, kept_free } = self.size;
        let mut taken = self.taken.lock();
        let own = taken.by_account.get(&account).copied().unwrap_or_default();
        let most = if own >= large { places_max - kept_free } else { places_max };
        if taken.all >= most {
            return None;
        }
        taken.all += 1;
        taken.by_account.insert(account, own + 1);
        Some(Place { room: Arc::clone(self), account })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock();
        taken.all -= 1;
        match taken.by_account.get_mut(&self.account) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by_account.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { places_max: 10, large: 2, kept_free: 3 };

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 12])
    }

    fn taken_by(room: &Arc<Room>, number: u8, wanted: usize) -> Vec<Place> {
        (0..wanted).filter_map(|_| room.take(account(number))).collect()
    }

    #[test]
    fn an_account_alone_leaves_room_for_others() {
        let room = Room::new(SIZE);
        let first = taken_by(&room, 1, 100);
        assert_eq!(first.len(), 7);
        // Others get what is assured, and no more.
        assert_eq!(taken_by(&room, 2, 100).len(), 2);
        let second = taken_by(&room, 2, 100);
        let third = taken_by(&room, 3, 100);
        assert_eq!((second.len(), third.len()), (2, 1), "there are ten places");
    }

    #[test]
    fn places_that_are_given_back_are_there_for_everybody() {
        let room = Room::new(SIZE);
        for _ in 0..3 {
            let mut held = taken_by(&room, 1, 100);
            assert_eq!(held.len(), 7);
            held.truncate(6);
            assert_eq!(taken_by(&room, 1, 100).len(), 1);
        }
        assert!(room.taken.lock().by_account.is_empty());
        assert_eq!(room.taken.lock().all, 0);
    }
}
