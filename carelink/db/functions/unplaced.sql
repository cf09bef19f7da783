-- What is sent of somebody whose whereabouts the requester may not know, less what tells which organisation holds it.
--
-- A practice or a hospital tells the area that somebody lives in (PDS 'S' flag guidance). What says so stands in nearly
-- every resource: a second copy of each would double the store, so it is taken out here, of the few that are asked for.
-- The elements and their order, and how numbers are written, stay as they are stored.

-- Addresses (of codes, extensions, identifiers) that are the same everywhere, and so name no organisation.
create or replace function carelink_everywhere(address text) returns boolean
language sql immutable parallel safe as $$
  select strpos(address, ':') = 0 or address ~* concat(
    '^(https?://(www\.)?(snomed\.info|loinc\.org|unitsofmeasure\.org|hl7\.org|terminology\.hl7\.org|hl7\.org\.uk',
    '|fhir\.hl7\.org\.uk|fhir\.nhs\.uk|read\.info|carelink\.example)(/|$)|urn:(carelink|ietf):)')
$$;

-- Whether a reference may stay: one within the person's record does, and one to the requester's own organisation, or
-- from that one's items to its own workers. Everything else is where the record comes from, or who keeps it there.
create or replace function carelink_may_stay(part json, own text, own_item boolean, gone text[]) returns boolean
language plpgsql immutable parallel safe as $$
declare
  literal text := part ->> 'reference';
  of_type text := coalesce(substring(literal from '^([A-Z][A-Za-z]+)/[^/]+$'), part ->> 'type', '');
begin
  if part #>> '{identifier,system}' = 'https://fhir.nhs.uk/Id/ods-organization-code' then
    return part #>> '{identifier,value}' = own;
  end if;
  if of_type in ('Practitioner', 'PractitionerRole') then
    return own_item;
  end if;
  return literal is not null
    and of_type not in ('Organization', 'Location', 'HealthcareService', 'Endpoint', 'OrganizationAffiliation')
    and (literal ~ '^[A-Z][A-Za-z]+/[^/]+$' or (literal like '#%' and not literal = any(gone)));
end $$;

-- One part of a resource as text; null where nothing of it may stay. `element` is what holds it, `inside` what holds that.
create or replace function carelink_unplaced_part(
    element text, part json, inside text, own text, own_item boolean, gone text[]
) returns text language plpgsql immutable parallel safe as $$
declare
  shape text := json_typeof(part);
begin
  if element in ('assigner', 'authorString')
      or (inside = 'meta' and element in ('source', 'tag'))
      or (inside in ('attachment', 'valueAttachment', 'presentedForm', 'photo') and element = 'url')
      or (element = 'system' and shape = 'string' and not carelink_everywhere(part #>> '{}')) then
    return null;
  end if;
  if shape = 'array' then
    return (select '[' || string_agg(told, ',' order by number) || ']' from (
      select number, carelink_unplaced_part(element, one, inside, own, own_item, gone) as told
      from json_array_elements(part) with ordinality each(one, number)) parts where told is not null);
  elsif shape <> 'object' then
    return part::text;
  end if;
  if (element = 'identifier' and part ->> 'system' is distinct from 'https://fhir.nhs.uk/Id/nhs-number'
        and coalesce(part ->> 'system', '') not like 'https://carelink.example/%')
      or (element in ('extension', 'modifierExtension') and (not carelink_everywhere(part ->> 'url')
        or part ->> 'url' ~ '/(element-source|repair)$'))
      or (element = 'contained' and '#' || (part ->> 'id') = any(gone))
      or (element = 'text' and part -> 'div' is not null) then
    return null;
  end if;
  if part -> 'resourceType' is null and element <> 'identifier' and (
        part -> 'reference' is not null
        or json_typeof(part -> 'identifier') = 'object'
        or (part -> 'display' is not null and part -> 'code' is null and part -> 'system' is null
          and element not in ('coding', 'class', 'format', 'purpose', 'securityLabel', 'valueCoding')))
      and not carelink_may_stay(part, own, own_item, gone) then
    return '{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}';
  end if;
  return (select '{' || string_agg(to_json(name)::text || ':' || told, ',' order by number) || '}' from (
    select number, name, case
        -- To whom somebody permits or denies what, and who said so for them, is not where they are: it must stay exact.
        when part ->> 'resourceType' = 'Consent' and name in ('performer', 'provision', 'verification') then one::text
        else carelink_unplaced_part(ltrim(name, '_'), one, element, own, own_item, gone) end as told
    from json_each(part) with ordinality each(name, one, number)) parts where told is not null);
end $$;

-- The text of a resource; `own` is the requester's organisation, `own_item` whether that one answers for it.
create or replace function carelink_unplaced(body text, own text, own_item boolean) returns text
language plpgsql immutable parallel safe as $$
declare
  -- JSON may say the letter NUL, which PostgreSQL's text refuses
  whole json := replace(body, '\u0000', '\ufffd')::json;
  gone text[] := (select array_agg('#' || (one ->> 'id')) from json_array_elements(whole -> 'contained') one
    where one ->> 'resourceType' in ('Organization', 'Location', 'HealthcareService', 'Endpoint', 'PractitionerRole')
      or (one ->> 'resourceType' = 'Practitioner' and not own_item));
begin
  return carelink_unplaced_part('', whole, '', own, own_item, coalesce(gone, '{}'));
end $$;
