//! The screens of all accounts of a node. Whoever reads rules puts them here; each loop holds a view, which looks at
//! a number and takes no lock unless something changed.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use frontdesk_core::id::AccountId;
use parking_lot::Mutex;

use super::Screen;

type ByAccount = Arc<HashMap<AccountId, Arc<Screen>>>;

/// That of an account without rules.
static NOTHING: LazyLock<Screen> = LazyLock::new(Screen::default);

/// All screens, shared by everybody who lets content pass.
#[derive(Debug, Default)]
pub struct Screens {
    /// Rises with every change, after it.
    version: AtomicU64,
    accounts: Mutex<ByAccount>,
}

impl Screens {
    /// Puts an account's screen in the place of its former one.
    pub fn set(&self, account: AccountId, screen: Arc<Screen>) {
        let mut accounts = self.accounts.lock();
        // Views go on with the former map; rules change seldom and accounts with rules are few.
        let mut changed = HashMap::clone(&accounts);
        if screen.is_empty() {
            changed.remove(&account);
        } else {
            changed.insert(account, screen);
        }
        *accounts = Arc::new(changed);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Returns the screen of an account.
    pub fn of(&self, account: AccountId) -> Arc<Screen> {
        self.accounts.lock().get(&account).cloned().unwrap_or_default()
    }

    /// Returns a view that sees every change made before it is asked.
    pub fn view(self: &Arc<Self>) -> ScreensView {
        let version = self.version.load(Ordering::Acquire);
        let accounts = Arc::clone(&self.accounts.lock());
        ScreensView { screens: Arc::clone(self), version, accounts }
    }
}

/// What one loop sees of [`Screens`].
#[derive(Debug)]
pub struct ScreensView {
    screens: Arc<Screens>,
    version: u64,
    accounts: ByAccount,
}

impl ScreensView {
    /// Returns the screen of an account as it is now.
    pub fn of(&mut self, account: AccountId) -> &Screen {
        // Read before the map: what changes in between is found by the next look.
        let version = self.screens.version.load(Ordering::Acquire);
        if version != self.version {
            self.version = version;
            self.accounts = Arc::clone(&self.screens.accounts.lock());
        }
        self.accounts.get(&account).map_or(&NOTHING, Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Action, AppliesTo, Kind, Rule};

    #[test]
    fn a_view_sees_each_change_and_each_account_its_own() {
        let (one, other) = (AccountId::from_bytes([1; 12]), AccountId::from_bytes([2; 12]));
        let screens = Arc::new(Screens::default());
        let mut view = screens.view();
        assert!(view.of(one).is_empty());
        let rule = Rule {
            name: "cards".to_owned(),
            kind: Kind::Card,
            words: Vec::new(),
            pattern: String::new(),
            old_form: false,
            action: Action::Mask,
            applies_to: AppliesTo::Everyone,
        };
        screens.set(one, Arc::new(Screen::new(&[rule]).expect("it can hold")));
        assert!(!view.of(one).is_empty() && view.of(other).is_empty());
        assert!(!screens.of(one).is_empty());
        screens.set(one, Arc::default());
        assert!(view.of(one).is_empty() && screens.of(one).is_empty());
    }
}
