//! What was read a moment ago, as long as it is fresh.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use quick_cache::{
    DefaultHashBuilder, Equivalent, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

/// A value for each key, forgotten when it has an age. Of more than fit, those nobody asks for go.
pub struct Fresh<K, V> {
    values: Cache<K, (Instant, V)>,
    age_max: Duration,
}

impl<K: Eq + Hash, V: Clone> Fresh<K, V> {
    /// Keeps nothing yet.
    pub fn new(count_max: usize, age_max: Duration) -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(count_max).weight_capacity(count_max as u64);
        // Half of the places are for what nobody has asked for yet: a file is asked for once.
        options.hot_allocation(0.5);
        let options = options.build().expect("all that is required is set");
        let (hash, whole) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { values: Cache::with_options(options, UnitWeighter, hash, whole), age_max }
    }

    /// What is known and still fresh.
    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        let (read_at, value) = self.values.get(key)?;
        (read_at.elapsed() < self.age_max).then_some(value)
    }

    /// What was known last, fresh or not.
    pub(crate) fn get_of_any_age<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// Remembers what has just been read.
    pub fn insert(&self, key: K, value: V) {
        self.values.insert(key, (Instant::now(), value));
    }

    /// Forgets one.
    pub(crate) fn remove<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.values.remove(key);
    }
}

impl<K, V> std::fmt::Debug for Fresh<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").field("age_max", &self.age_max).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_fresh_is_known() {
        let kept = Fresh::new(10, Duration::from_hours(1));
        assert_eq!(kept.get(&7), None);
        kept.insert(7, 1);
        kept.insert(7, 2);
        assert_eq!(kept.get(&7), Some(2), "the newest");
        kept.remove(&7);
        assert_eq!(kept.get(&7), None);
        let stale = Fresh::new(10, Duration::ZERO);
        stale.insert(7, 1);
        assert_eq!(stale.get(&7), None);
    }

    #[test]
    fn more_than_fit_push_others_out() {
        let kept = Fresh::new(100, Duration::from_hours(1));
        for number in 0..300 {
            kept.insert(number, number);
        }
        assert!(kept.values.len() <= 100, "{}", kept.values.len());
        let newest = (260..300).filter(|number| kept.get(number).is_some()).count();
        assert!(newest >= 30, "{newest} of the newest 40, which nobody has asked for yet");
    }
}
