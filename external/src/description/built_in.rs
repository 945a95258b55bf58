//! The descriptions that come with the binary.

use std::sync::LazyLock;

use super::Description;

const FILES: &[(&str, &str)] = &[
    ("redis.toml", include_str!("../../systems/redis.toml")),
    ("redis-sentinel.toml", include_str!("../../systems/redis-sentinel.toml")),
    ("redis-cluster.toml", include_str!("../../systems/redis-cluster.toml")),
    ("redlock.toml", include_str!("../../systems/redlock.toml")),
    ("zookeeper.toml", include_str!("../../systems/zookeeper.toml")),
    ("etcd.toml", include_str!("../../systems/etcd.toml")),
    ("etcd-3.5.1.toml", include_str!("../../systems/etcd-3.5.1.toml")),
];

static ALL: LazyLock<Vec<Description>> = LazyLock::new(|| {
    let parsed = FILES.iter().map(|(path, text)| Description::parse(text, path));
    // The tests read every one of them.
    parsed.map(|description| description.unwrap_or_else(|error| panic!("{error}"))).collect()
});

pub(super) fn all() -> &'static [Description] {
    &ALL
}
