-- posts that had been seen by $as_of. Their attributes are the latest known; a sight or a deletion that came later is
-- taken back.
select
    * replace (
        case when last_seen_at <= $as_of then last_seen_at else first_seen_at end as last_seen_at,
        case when deleted_at <= $as_of then deleted_at end as deleted_at
    )
from posts
where first_seen_at <= $as_of
