//! The store's contract, on `DynamoStore` (the AWS SDK against DynamoDB's API in memory) and on the store in memory
//! that the simulation runs on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use calendar_tests::{contracts::store, dynamo, memory};

macro_rules! contract {
    ($($part:ident: $($rule:ident)+;)+) => {$(
        mod $part {
            $(
                mod $rule {
                    #[tokio::test]
                    async fn on_dynamodb() {
                        super::super::store::$part::$rule(&super::super::dynamo::subject().await).await;
                    }
                    #[tokio::test]
                    async fn in_memory() {
                        super::super::store::$part::$rule(&super::super::memory::subject()).await;
                    }
                }
            )+
        }
    )+};
}

contract! {
    acts:
        a_setting_that_is_no_longer_as_it_was_read_stays_and_has_no_second_row
        logins_and_disconnects_are_stored_with_who_did_it;
    connections:
        a_connection_reads_back_as_it_was_made
        a_login_that_another_overtook_is_a_conflict
        a_login_with_the_same_account_keeps_the_state
        a_state_that_starts_anew_takes_the_lease_from_its_holder
        a_connection_made_again_knows_no_holder_of_the_one_before
        the_last_to_leave_an_account_may_revoke
        of_many_that_leave_an_account_at_once_one_is_the_last
        a_login_during_a_revocation_is_a_conflict
        forgetting_leaves_the_account
        a_refreshed_token_stays_with_its_connection
        sealing_anew_gives_way_to_a_login
        settings_need_a_connection
        changes_of_different_switches_all_stand
        a_status_is_stored_with_its_notices_or_not_at_all
        a_late_finding_does_not_undo_disconnecting
        a_late_finding_does_not_touch_a_renewed_connection
        a_renewal_counts_as_a_request
        forgetting_takes_credentials_and_state_and_can_be_repeated
        tenants_do_not_see_each_other;
    lease:
        of_many_at_once_one_gets_the_lease
        a_lease_needs_a_connection
        a_request_made_while_the_lease_is_held_is_due_when_it_ends
        a_holder_whose_lease_ran_out_has_lost_it_to_the_next
        the_next_holder_finds_whose_lease_was_never_given_back
        asking_again_for_ones_own_lease_grants_it
        a_release_stores_what_the_holder_changed
        a_release_is_refused_when_new_requests_came
        a_save_leaves_the_lease_requests_and_next_poll_alone
        a_released_lease_saves_nothing_more
        a_lease_that_was_released_counts_as_released_until_another_owner_takes_it;
    dispatch:
        due_connections_are_found_through_the_shards
        the_longest_due_come_first
        what_is_due_is_claimed_once
        scheduling_makes_no_connection
        channels_to_renew_are_found_by_their_moment;
    tenants:
        a_tenants_connections_are_read_page_by_page
        whose_sync_is_on_is_found_while_it_is
        what_needs_attention_is_found_while_it_does;
    rate_limits:
        a_free_shard_is_reserved_at_once
        reservations_follow_each_other
        a_reservation_that_would_start_too_late_is_not_made;
    mappings:
        a_mapping_reads_back_as_it_was_saved
        marking_makes_rows_and_changes_none
        a_mark_raised_meanwhile_stays
        a_mark_raised_anew_is_another_one
        what_failed_is_found_while_it_matters
        the_longest_waiting_come_first
        mappings_are_found_by_overlap
        a_save_leaves_the_flag_alone
        a_mapping_marked_meanwhile_is_not_removed
        clearing_takes_every_mapping_and_conflict
        more_than_a_page_is_read_to_its_end;
    mentions:
        what_the_pages_of_a_listing_mentioned_is_read_together
        a_page_mentions_2500_events
        mentions_are_forgotten_for_one_connection;
    conflicts:
        pairs_are_found_by_lesson_and_by_event
        pairs_are_found_by_the_family_of_an_event
        flags_pairs_and_their_notice_change_together
        a_pair_whose_first_overlap_moved_is_replaced
        of_lessons_without_a_mapping_no_conflict_is_stored
        twenty_pairs_of_twenty_lessons_are_stored_at_once
        what_a_person_decides_is_stored_with_the_flag_the_mark_and_the_notice
        what_was_stored_since_the_conflicts_were_read_is_not_overwritten;
    external_events:
        an_event_reads_back_with_all_that_is_kept_of_it
        the_titles_of_events_are_read_at_once_but_none_of_private_ones
        events_are_found_by_overlap
        long_events_are_found_while_they_last
        a_series_is_found_from_its_earliest_occurrence_on
        live_series_come_with_all_their_exceptions
        an_exception_whose_series_is_not_there_stands_alone
        a_split_series_keeps_its_exceptions_to_itself
        sixty_events_are_stored_and_removed_at_once
        calendars_are_kept_apart
        an_event_that_became_long_or_short_is_found_once
        oversized_ids_and_texts_are_stored
        events_of_the_largest_size_are_stored_and_found
        thousands_of_exceptions_come_with_their_series
        events_of_the_first_and_the_last_year_are_found
        thousands_of_events_elsewhere_are_passed_over;
    logs_and_notices:
        logs_are_read_newest_first_page_by_page
        a_log_row_of_the_longest_sentences_is_stored
        a_log_row_replaces_the_one_under_its_id
        notices_wait_in_order_until_delivered;
    logins:
        a_state_is_taken_once
        hostile_states_are_just_unknown;
    host:
        lessons_come_in_the_order_asked_for
        a_lesson_is_read_as_the_host_wrote_it
        a_malformed_row_is_unreadable_and_spoils_no_other
        lessons_are_found_by_instructor_and_start
        our_columns_of_a_lesson_are_written
        the_flag_of_a_lesson_is_written_alone
        another_instructors_lesson_is_left_as_it_is
        a_lesson_given_to_another_instructor_is_cleared_while_it_shows_the_event
        a_row_that_is_gone_is_left_gone
        our_columns_of_an_instructor_are_written
        no_lessons_are_asked_for_without_ids
        a_version_that_is_not_newer_changes_nothing
        a_removed_lesson_is_not_brought_back_by_an_earlier_version
        a_removal_that_overtakes_its_lesson_stands
        our_columns_stay_when_the_feed_tells_of_a_lesson_and_are_counted
        a_lesson_that_comes_back_after_it_was_forgotten_is_counted_on
        a_version_reaches_no_other_tenants_lesson
        of_versions_at_the_same_moment_the_newest_is_left;
}
