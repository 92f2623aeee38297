-- account_history as it was known at $as_of: the version that held then is the current one.
select
    * replace (
        case when valid_to <= $as_of then valid_to end as valid_to,
        coalesce(valid_to > $as_of, true) as is_current,
        case when profile_confirmed_at <= $as_of then profile_confirmed_at else profile_read_at end
            as profile_confirmed_at
    )
from account_history
where valid_from <= $as_of
