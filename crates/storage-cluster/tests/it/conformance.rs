//! The suites of `frontdesk-storage`, run against Redis, Kafka and two MariaDB.

use std::time::Duration;

use frontdesk_storage_cluster::{BusOptions, RedisBus, RedisDirectory};

use crate::services::shared_redis;

mod directory {
    use super::{Duration, RedisDirectory, shared_redis};
    use frontdesk_storage::conformance::directory::Subject;

    frontdesk_storage::directory_suite!(Subject {
        directory: RedisDirectory::connect(shared_redis()).await.expect("redis runs"),
        ttl: Duration::from_secs(4),
        elapse: |time| Box::pin(tokio::time::sleep(time)),
    });
}

mod bus {
    use super::{BusOptions, Duration, RedisBus, shared_redis};

    frontdesk_storage::bus_suite!({
        // No lease ends or is renewed meanwhile: what a case waits for comes by itself.
        let lease = Duration::from_hours(1);
        let options = BusOptions { batches_max: 128, lease, ..BusOptions::default() };
        RedisBus::connect(shared_redis(), options).await.expect("redis runs")
    });
}

mod kafka_bus {
    use crate::kafka::bus::{BATCHES_MAX, TestBus};

    frontdesk_storage::bus_suite!(TestBus::open(BATCHES_MAX).await);
}

mod either_bus {
    use crate::kafka::bus::{BATCHES_MAX, TestEither};

    frontdesk_storage::bus_suite!(TestEither::open(BATCHES_MAX).await);
}

mod history {
    use crate::mysql::Databases;

    frontdesk_storage::history_suite!({
        let databases = Databases::shared();
        move || databases.open_and_own()
    });
}

/// Two shards that are one database, as where the database shards by itself.
mod history_in_one_database {
    use crate::mysql::Databases;

    frontdesk_storage::history_suite!({
        let databases = Databases::shared_one();
        move || databases.open_and_own()
    });
}
