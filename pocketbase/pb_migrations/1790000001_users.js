/// <reference path="../pb_data/types.d.ts" />

// Users: a role that nobody can give themselves, one account per e-mail address whatever its case, and mails
// that open the pages of our server.
//
// Never change `authRule` in a later migration: PocketBase then draws a new token secret, and everybody is signed out.
migrate(
  (app) => {
    const users = app.findCollectionByNameOrId('users')

    users.fields.add(
      new SelectField({
        name: 'role',
        values: ['user', 'editor', 'admin'],
        maxSelect: 1,
        required: true, // pb_hooks/users.pb.js sets the default
      }),
    )

    users.listRule = 'id = @request.auth.id || @request.auth.role = "admin"'
    users.viewRule = 'id = @request.auth.id || @request.auth.role = "admin"'
    // only a superuser may send a role when the account is created ...
    users.createRule = '@request.body.role:isset = false'
    // ... and nobody may change their own; an admin may change somebody else's
    users.updateRule =
      '(id = @request.auth.id && @request.body.role:changed = false) || ' +
      '(@request.auth.role = "admin" && id != @request.auth.id)'
    users.deleteRule = 'id = @request.auth.id'

    // PocketBase's own index knows a@example.com and A@example.com as two accounts
    users.removeIndex('idx_email__pb_users_auth_')
    users.addIndex('idx_users_email_nocase', true, '`email` COLLATE NOCASE', "`email` != ''")

    // the mail would hold a login from a new place for up to 15 s while the mail server hangs
    users.authAlert.enabled = false

    // tests hash at cost 4; 0 means PocketBase's default (10)
    users.fields.getByName('password').cost = parseInt($os.getenv('PB_BCRYPT_COST') || '0', 10)

    const mail = (intro, path, label, outro) => `<p>Hello,</p>
<p>${intro}</p>
<p><a class="btn" href="{APP_URL}${path}?token={TOKEN}" target="_blank" rel="noopener">${label}</a></p>
<p><i>${outro}</i></p>
<p>Thanks,<br/>{APP_NAME}</p>`

    users.verificationTemplate.subject = 'Verify your {APP_NAME} e-mail'
    users.verificationTemplate.body = mail(
      'Thank you for joining {APP_NAME}. Please confirm your e-mail address.',
      '/verify-email',
      'Confirm e-mail',
      'If you did not register, please ignore this e-mail.',
    )
    users.resetPasswordTemplate.subject = 'Reset your {APP_NAME} password'
    users.resetPasswordTemplate.body = mail(
      'Use the link below to choose a new password.',
      '/reset-password',
      'Choose a new password',
      'If you did not ask for this, please ignore this e-mail.',
    )
    users.confirmEmailChangeTemplate.subject = 'Confirm your new {APP_NAME} e-mail address'
    users.confirmEmailChangeTemplate.body = mail(
      'Use the link below to confirm your new e-mail address.',
      '/confirm-email-change',
      'Confirm new e-mail',
      'If you did not ask for this, please ignore this e-mail.',
    )

    app.save(users)

    // accounts that existed before this migration
    app.db().newQuery("UPDATE {{users}} SET [[role]] = 'user' WHERE [[role]] = ''").execute()
  },
  (app) => {
    const users = app.findCollectionByNameOrId('users')
    users.fields.removeByName('role')
    users.listRule = users.viewRule = users.updateRule = users.deleteRule = 'id = @request.auth.id'
    users.createRule = ''
    app.save(users)
  },
)
