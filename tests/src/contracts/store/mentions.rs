//! What the pages of a listing mentioned.

use calendar_sync::model::{EventId, Mentions};

use super::{Subject, at, instructor};

fn page(ids: &[&str]) -> Mentions {
    let ids: Vec<EventId> = ids.iter().copied().map(EventId::from).collect();
    ids.iter().collect()
}

async fn put(on: &Subject, day: i64, number: u32, ids: &[&str]) {
    on.store.put_mentions(instructor(1), at(day, 0), number, &page(ids)).await.unwrap();
}

/// A page that comes again says anew what it mentions.
pub async fn what_the_pages_of_a_listing_mentioned_is_read_together(on: &Subject) {
    for (number, ids) in [(0, ["a", "b"]), (1, ["b", "c"]), (10, ["d", "e"]), (1, ["b", "f"])] {
        put(on, 1, number, &ids).await;
    }
    put(on, 2, 0, &["another listing"]).await;
    on.store.put_mentions(instructor(2), at(1, 0), 0, &page(&["of another"])).await.unwrap();
    let mentions = async |day, first| on.store.mentions(instructor(1), at(day, 0), first).await.unwrap();
    assert_eq!(mentions(1, 0).await, page(&["a", "b", "f", "d", "e"]));
    assert_eq!(mentions(1, 2).await, page(&["d", "e"]), "from a page on");
    assert_eq!(mentions(3, 0).await, Mentions::default());
}

pub async fn a_page_mentions_2500_events(on: &Subject) {
    let ids: Vec<EventId> = (0..2_500).map(|n| EventId(format!("event{n}"))).collect();
    let full: Mentions = ids.iter().collect();
    on.store.put_mentions(instructor(1), at(1, 0), 0, &full).await.unwrap();
    assert_eq!(on.store.mentions(instructor(1), at(1, 0), 0).await.unwrap(), full);
}

pub async fn mentions_are_forgotten_for_one_connection(on: &Subject) {
    put(on, 1, 0, &["a"]).await;
    put(on, 2, 3, &["b"]).await;
    on.store.put_mentions(instructor(2), at(1, 0), 0, &page(&["c"])).await.unwrap();
    on.store.forget_mentions(instructor(1)).await.unwrap();
    for day in [1, 2] {
        assert_eq!(on.store.mentions(instructor(1), at(day, 0), 0).await.unwrap(), Mentions::default());
    }
    assert_eq!(on.store.mentions(instructor(2), at(1, 0), 0).await.unwrap(), page(&["c"]));
}
