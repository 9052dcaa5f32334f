import { testStore } from '../../../server/testing.ts'
import { sqlitePlace } from '../../support/store-places.ts'

testStore('sqlite', sqlitePlace)
