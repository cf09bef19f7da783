// A session with fhir-kit-client as its users write it: prints what it found as one line of JSON.
import { Client } from "fhir-kit-client"

const asked = JSON.parse(process.argv[2])
const form = new URLSearchParams({ grant_type: "client_credentials", scope: asked.scope })
const basic = Buffer.from(`${asked.client}:${asked.secret}`).toString("base64")

const said = {}
const client = new Client({ baseUrl: asked.base })
said.version = (await client.capabilityStatement()).fhirVersion
const smart = await client.smartAuthMetadata()
const granted = await fetch(smart.tokenUrl, { method: "POST", body: form, headers: { Authorization: `Basic ${basic}` } })
client.bearerToken = (await granted.json()).access_token

const golden = await client.search({ resourceType: "Patient", searchParams: { identifier: asked.number } })
said.people = golden.entry.map((one) => one.resource.id)
said.family = (await client.read({ resourceType: "Patient", id: asked.person })).name[0].family

let page = await client.search({
  resourceType: "Observation",
  searchParams: { patient: asked.person, _count: 3, _sort: "-date" },
})
said.results = []
said.pages = 0
while (page) {
  said.results.push(...page.entry.map((one) => one.resource.id))
  said.pages += 1
  page = await client.nextPage({ bundle: page })
}

const flag = (text) => ({
  resourceType: "Flag",
  status: "active",
  code: { text },
  subject: { reference: asked.patient },
})
const shown = { headers: { Prefer: "return=representation" } }
const made = await client.create({ resourceType: "Flag", body: flag("Uses a stick"), options: shown })
said.created = made.code.text
const changed = { ...made, code: { text: "Uses a frame" } }
const current = { headers: { Prefer: "return=representation", "If-Match": 'W/"1"' } }
said.updated = (await client.update({ resourceType: "Flag", id: made.id, body: changed, options: current })).meta.versionId
try {
  await client.update({ resourceType: "Flag", id: made.id, body: { ...changed, status: "inactive" }, options: current })
} catch (refused) {
  said.stale = refused.response.status
}

const both = await client.transaction({
  body: {
    resourceType: "Bundle",
    type: "transaction",
    entry: ["Has a key safe", "Hard of hearing"].map((text) => ({
      resource: flag(text),
      request: { method: "POST", url: "Flag" },
    })),
  },
})
said.transaction = both.entry.map((one) => one.response.status)

const everything = await client.operation({ name: "everything", resourceType: "Patient", id: asked.person, method: "GET" })
said.everything = everything.entry.map((one) => one.resource.resourceType)

try {
  await client.read({ resourceType: "Patient", id: "00000000-0000-0000-0000-000000000009" })
} catch (refused) {
  said.missing = [refused.response.status, refused.response.data.resourceType]
}
console.log(JSON.stringify(said))
