// Writes consent strings with the IAB's own libraries, damages some, and prints how the libraries read each one.
// Arguments: TC strings, GPP strings, a seed. Prints one JSON document.
import vm from 'node:vm'
import { Segment, SegmentEncoder, TCModel, TCString } from '@iabtcf/core'
import { GppModel } from '@iabgpp/cmpapi'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const STATES = ['usca', 'usva', 'usco', 'usut', 'usct', 'usfl', 'usmt', 'usor', 'ustx', 'usde', 'usia', 'usne', 'usnh',
  'usnj', 'ustn', 'usmn', 'usmd', 'usin', 'usky', 'usri']
const FIELDS = ['SaleOptOut', 'SharingOptOut', 'TargetedAdvertisingOptOut', 'SensitiveDataProcessing',
  'KnownChildSensitiveDataConsents', 'GpcSegmentIncluded', 'GpcSegmentType', 'Gpc', 'OptOutSale', 'PolicyVersion',
  'IsServiceSpecific', 'PurposeConsents', 'PurposesExpressConsent', 'PurposesImpliedConsent']
const [tcStrings, gppStrings, seed] = process.argv.slice(2).map(Number)

let state = seed
function random () {
  state = (state + 0x6D2B79F5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}
const below = (top) => Math.floor(random() * top)
const pick = (list) => list[below(list.length)]
const some = (top, most) => Array.from({ length: below(most) }, () => 1 + below(top))
const flags = (share) => Array.from({ length: 24 }, () => random() < share)

function tcString () {
  const model = new TCModel()
  // The libraries write the day alone; other encoders write the time as well.
  const day = Date.UTC(2020 + below(7), below(12), 1 + below(28))
  model.created = model.lastUpdated = new Date(Math.min(day + pick([0, below(86_400_000)]), Date.now()))
  model.cmpId = 2 + below(4000)
  model.cmpVersion = 1 + below(9)
  model.consentScreen = below(60)
  model.consentLanguage = pick(['EN', 'DE', 'FR'])
  model.publisherCountryCode = pick(['DE', 'US', 'AA'])
  model.vendorListVersion = 1 + below(400)
  model.policyVersion = pick([2, 4, 4, 5, 5])
  model.isServiceSpecific = random() < 0.9
  const share = pick([0, 0.5, 0.9, 1])
  flags(share).forEach((set, at) => set && model.purposeConsents.set(at + 1))
  flags(0.5).forEach((set, at) => set && model.purposeLegitimateInterests.set(at + 1))
  model.vendorConsents.set(some(1200, 40))
  model.vendorLegitimateInterests.set(some(1200, 40))
  const parts = [SegmentEncoder.encode(model, Segment.CORE)]
  if (random() < 0.6) {
    model.vendorsDisclosed.set(some(1200, 40))
    parts.push(SegmentEncoder.encode(model, Segment.VENDORS_DISCLOSED))
  }
  if (random() < 0.3) parts.push(SegmentEncoder.encode(model, Segment.PUBLISHER_TC))
  return parts.join('.')
}

function gppString () {
  const model = new GppModel()
  const set = (section, field, value) => {
    if (model.hasField(section, field)) model.setFieldValue(section, field, value)
  }
  // A section exists from its first value on.
  if (random() < 0.4) {
    model.setFieldValue('tcfeuv2', 'IsServiceSpecific', true)
    model.setFieldValue('tcfeuv2', 'PolicyVersion', pick([2, 4, 5]))
    model.setFieldValue('tcfeuv2', 'PurposeConsents', flags(pick([0, 0.9, 1])))
    model.setFieldValue('tcfeuv2', 'VendorConsents', some(900, 30).sort((a, b) => a - b))
    model.setFieldValue('tcfeuv2', 'VendorsDisclosed', some(900, 30).sort((a, b) => a - b))
  }
  if (random() < 0.3) {
    const express = flags(pick([0, 0.5, 1]))
    model.setFieldValue('tcfcav1', 'PurposesExpressConsent', express)
    model.setFieldValue('tcfcav1', 'PurposesImpliedConsent', flags(pick([0, 0.5, 1])))
    model.setFieldValue('tcfcav1', 'VendorExpressConsent', some(900, 30).sort((a, b) => a - b))
    model.setFieldValue('tcfcav1', 'DisclosedVendors', some(900, 30).sort((a, b) => a - b))
  }
  if (random() < 0.3) model.setFieldValue('uspv1', 'OptOutSale', pick(['Y', 'N', '-']))
  if (random() < 0.5) us(model, set, 'usnat')
  for (const name of STATES) if (random() < 0.12) us(model, set, name)
  return model.encode()
}

function us (model, set, name) {
  const rarely = (length) => Array.from({ length }, () => (random() < 0.05 ? 1 : pick([0, 2])))
  model.setFieldValue(name, 'SaleOptOut', random() < 0.15 ? 1 : pick([0, 2]))
  set(name, 'SharingOptOut', rarely(1)[0])
  set(name, 'TargetedAdvertisingOptOut', rarely(1)[0])
  if (name === 'usnat') model.setFieldValue(name, 'Version', pick([1, 2]))
  for (const field of ['SensitiveDataProcessing', 'KnownChildSensitiveDataConsents']) {
    if (!model.hasField(name, field)) continue
    const before = model.getFieldValue(name, field)
    const kinds = field[0] === 'S' ? rarely : (length) => Array.from({ length }, () => (random() < 0.05 ? pick([1, 2]) : 0))
    const size = Array.isArray(before) ? before.length : 1
    model.setFieldValue(name, field, Array.isArray(before) ? kinds(size) : kinds(1)[0])
  }
  set(name, 'Gpc', random() < 0.1)
  set(name, 'GpcSegmentIncluded', random() < 0.5)
}

function damaged (text) {
  const at = below(text.length + 1)
  return pick([
    () => text.slice(0, at),
    () => text.slice(0, at) + pick(LETTERS + '.~=! ') + text.slice(at),
    () => text.slice(0, at) + pick(LETTERS) + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(at + 1 + below(4)),
    () => text + pick(LETTERS) + pick(LETTERS),
    () => text.split('~').map((part, index) => (index && random() < 0.3 ? damaged(part) : part)).join('~'),
  ])()
}

function readTc (text) {
  try {
    const model = TCString.decode(text)
    const consents = []
    for (let id = 1; id <= 24; id++) if (model.purposeConsents.has(id)) consents.push(id)
    return {
      consents,
      updated: model.lastUpdated.getTime(),
      policy: model.policyVersion,
      specific: model.isServiceSpecific,
      disclosed: model.vendorsDisclosed.size > 0,
    }
  } catch (error) {
    return null
  }
}

function readGpp (text) {
  const sections = {}
  try {
    const model = new GppModel(text)
    for (const id of model.getSectionIds()) {
      const name = Object.keys(NAMES).find((each) => NAMES[each] === id)
      try {
        sections[id] = {}
        for (const field of FIELDS) {
          if (model.hasField(name, field)) sections[id][field] = model.getFieldValue(name, field)
        }
      } catch (error) {
        sections[id] = null
      }
    }
  } catch (error) {
    return null
  }
  return sections
}

// The libraries take minutes for some damaged strings; those have no reading to compare with.
function within (milliseconds, read, text) {
  globalThis.reading = () => read(text)
  try {
    return vm.runInThisContext('reading()', { timeout: milliseconds })
  } catch (error) {
    if (error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}

const NAMES = { tcfeuv2: 2, tcfcav1: 5, uspv1: 6, usnat: 7 }
STATES.forEach((name, at) => { NAMES[name] = 8 + at })
const strings = { tcf: [], gpp: [] }
for (const [kind, count, write, read] of [['tcf', tcStrings, tcString, readTc], ['gpp', gppStrings, gppString, readGpp]]) {
  for (let made = 0; made < count; made++) {
    const text = write()
    strings[kind].push({ text, valid: true, read: read(text) })
    const changed = damaged(text)
    const answer = within(30, read, changed)
    if (answer !== undefined) strings[kind].push({ text: changed, valid: changed === text, read: answer })
  }
}
console.log(JSON.stringify(strings))
