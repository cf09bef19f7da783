-- What the lens asks of the tables about one person, and about one item of somebody who gave or denied consent.
--
-- The decision stands in carelink/consent/decision.py as values and in carelink/consent/predicate.py as SQL; these two
-- are the parts of it that read other tables. They are functions so that PostgreSQL plans them once a connection and
-- asks about a person once a statement, and not for every row. A test holds both forms to one answer.

-- The values of a lens come packed, as carelink/consent/predicate.py packs them:
--  texts    1 organisation   2 its type   3 purpose   4 role   5 team   6 user
--  numbers  1 hidden from the person   2 hides the place   3 involving   4 needs consent   5 terms
--  flags    1 assumed to be involved   5 on duty

-- What is true of a requester and a person at a time, as bits:
--  1 involved by a relationship   2 broke the glass          4 kept out of an enquiry
--  8 kept away by a court        16 the person has consents  32 the person is restricted (PDS 'S')
-- In FROM, as it stands here, PostgreSQL makes it a part of the statement that asks about one person.
create or replace function carelink_standing_of(whose uuid, at timestamptz, texts text[], flags boolean[])
returns table (bits integer) language sql stable parallel safe as $$
  select
      (flags[1] or exists (select from relationship rel
        where rel.person = whose and rel.organisation = texts[1]
          and rel.starts <= at and (rel.ends is null or rel.ends > at)
          and (rel."user" = texts[6] or (rel."user" is null and (rel.team is null or rel.team = texts[5]))
            or (flags[5] and rel.kind = 'caseload'))))::integer
    | 2 * (exists (select from access_grant gra
        where gra.person = whose and gra."user" = texts[6] and gra.organisation = texts[1]
          and gra.starts <= at and gra.ends > at))::integer
    | coalesce((select bit_or(case kep.kind when 'court-order' then 12 else 4 end) from kept_out kep
        where kep.person = whose and kep.starts <= at and (kep.ends is null or kep.ends > at)
          and (kep."user" = texts[6] or (kep."user" is null and kep.organisation = texts[1]))), 0)
    | 16 * (exists (select from directive dir
        where dir.person = whose and dir.starts <= at and (dir.ends is null or dir.ends > at)))::integer
    | 32 * (exists (select from person per where per.key = whose and per.restricted))::integer
$$;

-- The same of a person of whom a row is: planned once a connection.
create or replace function carelink_standing(whose uuid, at timestamptz, texts text[], flags boolean[])
returns integer language plpgsql stable parallel safe as $$
begin
  return (select bits from carelink_standing_of(whose, at, texts, flags));
end $$;

-- By which rule (carelink/consent/rules.py) something that another organisation holds is shared with the requester:
-- agreed or permitted, not denied or objected to, with what consent it needs, to somebody who is involved. Null where it
-- is not. What had to be got over is told: an objection by what outweighs it, a stranger by what lets them in.
--
-- `left_out`: the sensitivities that no agreement names; null where nothing is agreed. The terms as bits:
--  1 a permission agrees   2 a permission relates   4 the law overrides an objection   8 glass opens an objection
-- 16 glass opens not having been asked   32 glass opens a relationship   64 people are asked first
create or replace function carelink_ground(
    standing integer, left_out integer, at timestamptz, texts text[], numbers integer[],
    item_person uuid, item_custodian text, item_category text, item_type text, item_sensitivities integer,
    item_key uuid, item_clinical timestamptz, item_body text
) returns text language plpgsql stable parallel safe as $$
declare
  asks_organisation text := texts[1];
  asks_organisation_type text := texts[2];
  asks_purpose text := texts[3];
  asks_role text := texts[4];
  asks_team text := texts[5];
  asks_user text := texts[6];
  needs_consent integer := numbers[4];
  on_terms integer := numbers[5];
  said record;
  glass boolean := standing & 2 <> 0;
  over text;  -- what got over an objection, or over not having been asked
begin
  if standing & 16 = 0 then  -- the person said nothing
    return case
      when left_out is null or item_sensitivities & (left_out | needs_consent) <> 0 then null
      when on_terms & 64 <> 0 and not (glass and on_terms & 16 <> 0) then null
      when standing & 1 <> 0 then case when on_terms & 64 = 0 then 'L8-agreement' else 'L7-break-glass' end
      when glass and on_terms & 32 <> 0 then 'L9-break-glass'
    end;
  end if;
  -- Each consent for itself: the deepest provision that matches wins, denial at a tie. Then all of them together.
  select
      coalesce(bool_or(con.denied >= con.permitted), false) as denied,
      max(coalesce(con.denied_at, 'infinity')) filter (where con.objected >= con.permitted) as objected_at,
      max(con.permitted_at) filter (where con.permits and con.named) as permitted_at,
      coalesce(bool_or(con.permits), false) as permitted,
      coalesce(bool_or(con.permits and con.named), false) as named,
      coalesce(bit_or(con.covers) filter (where con.permits), 0) as covers
    into said
    from (select one.*, one.permitted > greatest(one.denied, one.objected, -1) as permits from (select
        max(dir.depth) filter (where dir.effect = 'deny' and dir.rule not like 'L7-%') as denied,
        max(dir.depth) filter (where dir.effect = 'deny' and dir.rule like 'L7-%') as objected,
        coalesce(max(dir.depth) filter (where dir.effect = 'permit'), -1) as permitted,
        max(dir.made) filter (where dir.effect = 'deny') as denied_at,
        max(dir.made) filter (where dir.effect = 'permit') as permitted_at,
        bool_or(dir.organisation is not null or dir."user" is not null)
          filter (where dir.effect = 'permit' and dir.rule <> 'L6-consent-exception') as named,
        bit_or(dir.sensitivities) filter (where dir.effect = 'permit') as covers
      from directive dir
      where dir.person = item_person and dir.rule <> 'L10-opt-out'
        and dir.starts <= at and (dir.ends is null or dir.ends > at)
        and (dir.organisation is null or dir.organisation = asks_organisation)
        and (dir.organisation_type is null or dir.organisation_type = asks_organisation_type)
        and (dir.role is null or dir.role = asks_role)
        and (dir.team is null or dir.team = asks_team)
        and (dir."user" is null or dir."user" = asks_user)
        and (dir.purposes is null or asks_purpose = any(dir.purposes))
        and (dir.custodians is null or item_custodian = any(dir.custodians))
        and (dir.categories is null or item_category = any(dir.categories))
        and (dir.sensitivities is null or dir.sensitivities & item_sensitivities <> 0)
        and ((dir.since is null and dir.until is null)
          or case when item_clinical is null then dir.effect = 'deny'
             else (dir.since is null or dir.since <= item_clinical) and (dir.until is null or dir.until > item_clinical)
             end)
        and case when item_type = 'Provenance'  -- it quotes another item, and does not say which kind that is
          then dir.effect = 'deny' or (dir.types is null and dir.codes is null and dir.items is null)
          else (dir.types is null or item_type = any(dir.types))
            and (dir.items is null or item_key = any(dir.items))
            and (dir.codes is null or exists (
              -- JSON may say the letter NUL, which PostgreSQL's jsonb refuses
              select from jsonb_path_query(replace(item_body, '\u0000', '\ufffd')::jsonb,
                'lax $.** ? (@.code.type() == "string")') coding
              join jsonb_array_elements(dir.codes) wanted
                on wanted ->> 'code' = coding ->> 'code' and wanted ->> 'system' = coalesce(coding ->> 'system', '')))
          end
      group by dir.consent) one) con;
  if said.denied or not (case when left_out is null  -- nobody agreed: the person may have; that names no sensitivity
      then on_terms & 1 <> 0 and said.named and item_sensitivities & ~1024 = 0
      else item_sensitivities & left_out = 0 and item_sensitivities & needs_consent & ~said.covers = 0 end) then
    return null;
  end if;
  if said.objected_at is not null then
    over := case when said.permitted_at > said.objected_at then 'L6-consent-permit'
      when on_terms & 4 <> 0 then 'L7-overridden'
      when glass and on_terms & 8 <> 0 then 'L7-break-glass' end;
    if over is null then return null; end if;
  end if;
  if on_terms & 64 <> 0 and not said.permitted then
    if not (glass and on_terms & 16 <> 0) then return null; end if;
    over := coalesce(over, 'L7-break-glass');
  end if;
  return case
    when standing & 1 <> 0
      then coalesce(over, case when left_out is null then 'L6-consent-permit' else 'L8-agreement' end)
    when on_terms & 2 <> 0 and said.named then 'L6-consent-permit'
    when glass and on_terms & 32 <> 0 then 'L9-break-glass' end;
end $$;

-- By which rule a row that may be seen is shown, as `decide` says it, where it is not plain: the person has consents, or
-- the glass is broken, or it may not be told where they are. Behind a mark where the row is told without which
-- organisation holds it. `is_redacted`: whether the row has a form without what locates a person.
create or replace function carelink_shown(
    standing integer, left_out integer, at timestamptz, texts text[], numbers integer[],
    item_person uuid, item_custodian text, item_category text, item_type text, item_sensitivities integer,
    item_key uuid, item_clinical timestamptz, item_body text, is_redacted boolean
) returns text language plpgsql stable parallel safe as $$
declare
  hides integer := standing & numbers[2];
begin
  return case when hides <> 0 then '-' else '' end || case
    when is_redacted and hides & 32 <> 0 then 'L3-restricted'
    when is_redacted and hides <> 0 then 'L4-source-of-harm'
    when item_custodian = texts[1] and standing & 1 <> 0 then 'L8-own-organisation'
    when item_custodian = texts[1] then 'L9-break-glass'
    else carelink_ground(standing, left_out, at, texts, numbers, item_person, item_custodian, item_category, item_type,
      item_sensitivities, item_key, item_clinical, item_body) end;
end $$;

-- Whether scopes that say more than types (carelink/identity/reach.py) let an item through: one grant of its type, or of
-- any type where its own is not named, whose person and whose JSON path it meets. What is of nobody meets any person.
-- `scope` holds plain types for most requesters: for those it is asked of what their types leave out, and says no.
create or replace function carelink_in_reach(scope text[], item_type text, item_person uuid, item_body text)
returns boolean language sql stable parallel safe as $$
  select case when left(scope[1], 1) = '{' then exists (
    select from jsonb_array_elements(coalesce(scope[1]::jsonb -> item_type, scope[1]::jsonb -> '*')) one
    where (one ->> 'patient' is null or item_person is null or item_person = (one ->> 'patient')::uuid)
      and (one ->> 'path' is null or jsonb_path_exists(item_body::jsonb, (one ->> 'path')::jsonpath)))
    else false end
$$;
