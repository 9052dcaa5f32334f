/// <reference path="../pb_data/types.d.ts" />

// Profiles: one per user, made with the user (pb_hooks/users.pb.js) and deleted with it.
migrate(
  (app) => {
    const users = app.findCollectionByNameOrId('users')

    const profiles = new Collection({
      type: 'base',
      name: 'profiles',
      listRule: 'user = @request.auth.id || @request.auth.role = "admin"',
      viewRule: 'user = @request.auth.id || @request.auth.role = "admin"',
      // for accounts that were made without our hook; the index allows one
      createRule: '@request.auth.id != "" && user = @request.auth.id',
      updateRule: 'user = @request.auth.id && @request.body.user:changed = false',
      deleteRule: null,
      fields: [
        { type: 'relation', name: 'user', collectionId: users.id, required: true, maxSelect: 1, cascadeDelete: true },
        { type: 'text', name: 'displayName', required: true, max: 80 },
        { type: 'text', name: 'bio', max: 2000 },
        {
          type: 'file',
          name: 'avatar',
          maxSelect: 1,
          maxSize: 5242880,
          mimeTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
          thumbs: ['100x100'],
        },
        { type: 'autodate', name: 'created', onCreate: true },
        { type: 'autodate', name: 'updated', onCreate: true, onUpdate: true },
      ],
      indexes: ['CREATE UNIQUE INDEX `idx_profiles_user` ON `profiles` (`user`)'],
    })
    app.save(profiles)
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId('profiles'))
  },
)
