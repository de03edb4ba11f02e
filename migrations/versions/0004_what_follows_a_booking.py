"""What follows a booking.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-25 12:53:25.092699
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


AS_ISSUED = "a paper is never changed once it has its number; issue another one"
GUARDS = {
    'sqlite': (
        f"CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, '{AS_ISSUED}'); END",
        f"CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, '{AS_ISSUED}'); END",
    ),
    'postgresql': (
        "CREATE OR REPLACE FUNCTION invoice_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{AS_ISSUED}'; END $$",
        "CREATE TRIGGER invoice_is_kept BEFORE UPDATE OR DELETE ON invoice "
        "FOR EACH ROW EXECUTE FUNCTION invoice_is_kept()",
    ),
}


def upgrade():
    op.create_table('bundle',
    sa.Column('slug', sa.String(length=140), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('sold_from', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sold_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_published', sa.Boolean(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_bundle_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bundle')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_bundle_organiser_id_id'),
    sa.UniqueConstraint('slug', name=op.f('uq_bundle_slug'))
    )
    with op.batch_alter_table('bundle', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bundle_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('invoice_series',
    sa.Column('series', sa.String(length=20), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_invoice_series_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_series')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_invoice_series_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'series', name=op.f('uq_invoice_series_organiser_id_series'))
    )
    with op.batch_alter_table('invoice_series', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_series_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('bundle_price',
    sa.Column('bundle_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('minor', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('minor >= 0', name=op.f('ck_bundle_price_minor')),
    sa.ForeignKeyConstraint(['organiser_id', 'bundle_id'], ['bundle.organiser_id', 'bundle.id'], name=op.f('fk_bundle_price_organiser_id_bundle_id_bundle')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_bundle_price_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bundle_price')),
    sa.UniqueConstraint('bundle_id', 'currency', name=op.f('uq_bundle_price_bundle_id_currency')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_bundle_price_organiser_id_id')
    )
    with op.batch_alter_table('bundle_price', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bundle_price_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('invoice',
    sa.Column('bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('series', sa.String(length=20), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('credits_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name=op.f('ck_invoice_credits_id')),
    sa.CheckConstraint("(kind = 'invoice') = (due_on IS NOT NULL)", name=op.f('ck_invoice_due_on')),
    sa.CheckConstraint("kind IN ('invoice', 'receipt', 'credit_note')", name=op.f('ck_invoice_kind')),
    sa.CheckConstraint('number > 0', name=op.f('ck_invoice_number')),
    sa.CheckConstraint('total_minor > 0', name=op.f('ck_invoice_total_minor')),
    sa.ForeignKeyConstraint(['organiser_id', 'bill_id'], ['bill.organiser_id', 'bill.id'], name=op.f('fk_invoice_organiser_id_bill_id_bill')),
    sa.ForeignKeyConstraint(['organiser_id', 'credits_id'], ['invoice.organiser_id', 'invoice.id'], name=op.f('fk_invoice_organiser_id_credits_id_invoice')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_invoice_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice')),
    sa.UniqueConstraint('key', name=op.f('uq_invoice_key')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_invoice_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'series', 'number', name=op.f('uq_invoice_organiser_id_series_number'))
    )
    with op.batch_alter_table('invoice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_bill_id'), ['bill_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_invoice_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('payer',
    sa.Column('bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('address', sa.String(length=500), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('purchase_order', sa.String(length=80), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'bill_id'], ['bill.organiser_id', 'bill.id'], name=op.f('fk_payer_organiser_id_bill_id_bill')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_payer_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payer')),
    sa.UniqueConstraint('bill_id', name=op.f('uq_payer_bill_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_payer_organiser_id_id')
    )
    with op.batch_alter_table('payer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payer_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('invoice_file',
    sa.Column('invoice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'invoice_id'], ['invoice.organiser_id', 'invoice.id'], name=op.f('fk_invoice_file_organiser_id_invoice_id_invoice')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_invoice_file_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_file')),
    sa.UniqueConstraint('invoice_id', name=op.f('uq_invoice_file_invoice_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_invoice_file_organiser_id_id')
    )
    with op.batch_alter_table('invoice_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_file_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('bundle_ticket',
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bundle_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ticket_type_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'bundle_id'], ['bundle.organiser_id', 'bundle.id'], name=op.f('fk_bundle_ticket_organiser_id_bundle_id_bundle')),
    sa.ForeignKeyConstraint(['organiser_id', 'ticket_type_id'], ['ticket_type.organiser_id', 'ticket_type.id'], name=op.f('fk_bundle_ticket_organiser_id_ticket_type_id_ticket_type')),
    sa.PrimaryKeyConstraint('bundle_id', 'ticket_type_id', name=op.f('pk_bundle_ticket'))
    )
    with op.batch_alter_table('bundle_ticket', schema=None) as batch_op:
        batch_op.create_index('ix_bundle_ticket_ticket_type_id', ['ticket_type_id'], unique=False)

    op.create_table('instalment',
    sa.Column('bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('minor', sa.BigInteger(), nullable=False),
    sa.Column('shares', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(state = 'paid') = (payment_id IS NOT NULL)", name=op.f('ck_instalment_payment_id')),
    sa.CheckConstraint("state IN ('open', 'paid', 'dropped')", name=op.f('ck_instalment_state')),
    sa.CheckConstraint('minor > 0', name=op.f('ck_instalment_minor')),
    sa.ForeignKeyConstraint(['organiser_id', 'bill_id'], ['bill.organiser_id', 'bill.id'], name=op.f('fk_instalment_organiser_id_bill_id_bill')),
    sa.ForeignKeyConstraint(['organiser_id', 'payment_id'], ['payment.organiser_id', 'payment.id'], name=op.f('fk_instalment_organiser_id_payment_id_payment')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_instalment_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_instalment')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_instalment_organiser_id_id')
    )
    with op.batch_alter_table('instalment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_instalment_bill_id'), ['bill_id'], unique=False)
        batch_op.create_index('ix_instalment_open', ['organiser_id', 'state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_instalment_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('waiting_person',
    sa.Column('workshop_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ticket_type_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('wanted', sa.Integer(), nullable=False),
    sa.Column('takes_fewer', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('passed_over', sa.Integer(), nullable=True),
    sa.Column('link_version', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(state IN ('offered', 'accepted')) = (held_until IS NOT NULL)", name=op.f('ck_waiting_person_held_until')),
    sa.CheckConstraint("state IN ('waiting', 'offered', 'accepted', 'booked', 'lapsed', 'left', 'removed', 'closed')", name=op.f('ck_waiting_person_state')),
    sa.CheckConstraint('wanted >= 1', name=op.f('ck_waiting_person_wanted')),
    sa.ForeignKeyConstraint(['organiser_id', 'booking_id'], ['booking.organiser_id', 'booking.id'], name=op.f('fk_waiting_person_organiser_id_booking_id_booking')),
    sa.ForeignKeyConstraint(['organiser_id', 'ticket_type_id'], ['ticket_type.organiser_id', 'ticket_type.id'], name=op.f('fk_waiting_person_organiser_id_ticket_type_id_ticket_type')),
    sa.ForeignKeyConstraint(['organiser_id', 'workshop_id'], ['workshop.organiser_id', 'workshop.id'], name=op.f('fk_waiting_person_organiser_id_workshop_id_workshop')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_waiting_person_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waiting_person')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_waiting_person_organiser_id_id'),
    sa.UniqueConstraint('workshop_id', 'email', name=op.f('uq_waiting_person_workshop_id_email'))
    )
    with op.batch_alter_table('waiting_person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_waiting_person_booking_id'), ['booking_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_person_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('new_address',
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('is_shared', sa.Boolean(), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('link_version', sa.Integer(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_new_address_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'booking_id'], ['booking.organiser_id', 'booking.id'], name=op.f('fk_new_address_organiser_id_booking_id_booking')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_new_address_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_new_address')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_new_address_organiser_id_id')
    )
    with op.batch_alter_table('new_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_new_address_booking_id'), ['booking_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_new_address_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('offered_place',
    sa.Column('waiting_person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('place_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'place_id'], ['place.organiser_id', 'place.id'], name=op.f('fk_offered_place_organiser_id_place_id_place')),
    sa.ForeignKeyConstraint(['organiser_id', 'waiting_person_id'], ['waiting_person.organiser_id', 'waiting_person.id'], name=op.f('fk_offered_place_organiser_id_waiting_person_id_waiting_person')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_offered_place_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offered_place')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_offered_place_organiser_id_id'),
    sa.UniqueConstraint('place_id', name=op.f('uq_offered_place_place_id'))
    )
    with op.batch_alter_table('offered_place', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_offered_place_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_offered_place_waiting_person_id'), ['waiting_person_id'], unique=False)

    with op.batch_alter_table('attendee', schema=None) as batch_op:
        batch_op.add_column(sa.Column('added_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('attendee_place', schema=None) as batch_op:
        batch_op.add_column(sa.Column('given_back_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('resold_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bundle_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_index(batch_op.f('ix_booking_bundle_id'), ['bundle_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_booking_organiser_id_bundle_id_bundle'), 'bundle', ['organiser_id', 'bundle_id'], ['organiser_id', 'id'])

    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.alter_column('attendee_id',
               existing_type=sa.INTEGER(),
               nullable=True)

    with op.batch_alter_table('discount_code', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bundles', sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.add_column(sa.Column('legal_name', sa.String(length=200), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('vat_mode', sa.String(length=10), nullable=False, server_default='none'))
        batch_op.add_column(sa.Column('vat_number', sa.String(length=20), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('vat_rate', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('bank_details', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('invoice_days', sa.Integer(), nullable=False, server_default='14'))

    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=10), nullable=False, server_default='stripe'))
        batch_op.add_column(sa.Column('reference', sa.String(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('card', sa.String(length=40), nullable=False, server_default=''))
        batch_op.alter_column('attempt_id',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.create_index(batch_op.f('ix_payment_card'), ['card'], unique=False)

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.add_column(sa.Column('waited', sa.Integer(), nullable=True))

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.add_column(sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('waiting_at_once', sa.Integer(), nullable=False, server_default='10'))
        batch_op.add_column(sa.Column('waiting_hours', sa.Integer(), nullable=False, server_default='48'))
        batch_op.add_column(sa.Column('waiting_first_come_hours', sa.Integer(), nullable=False, server_default='24'))
        batch_op.create_foreign_key(batch_op.f('fk_workshop_organiser_id_policy_id_policy'), 'policy', ['organiser_id', 'policy_id'], ['organiser_id', 'id'])

    # Rows that are there got their value above; from here on the application says it.
    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_change_kind'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_change_kind'), "kind IN ('cancel', 'substitute', 'transfer', 'add')")

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.alter_column('legal_name', server_default=None)
        batch_op.alter_column('vat_mode', server_default=None)
        batch_op.alter_column('vat_number', server_default=None)
        batch_op.alter_column('vat_rate', server_default=None)
        batch_op.alter_column('bank_details', server_default=None)
        batch_op.alter_column('invoice_days', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_organiser_invoice_days'), 'invoice_days BETWEEN 0 AND 365')
        batch_op.create_check_constraint(batch_op.f('ck_organiser_vat_mode'), "vat_mode IN ('none', 'included', 'exempt')")
        batch_op.create_check_constraint(batch_op.f('ck_organiser_vat_rate'), 'vat_rate BETWEEN 0 AND 9999')

    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.alter_column('kind', server_default=None)
        batch_op.alter_column('reference', server_default=None)
        batch_op.alter_column('card', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_payment_attempt_id'), "(kind = 'stripe') = (attempt_id IS NOT NULL)")
        batch_op.create_check_constraint(batch_op.f('ck_payment_kind'), "kind IN ('stripe', 'bank', 'other')")

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f('ck_pool_waited'), 'waited >= 1')

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.alter_column('waiting_at_once', server_default=None)
        batch_op.alter_column('waiting_hours', server_default=None)
        batch_op.alter_column('waiting_first_come_hours', server_default=None)

    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade():
    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_change_kind'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_change_kind'), "kind IN ('cancel', 'substitute', 'transfer')")

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_organiser_invoice_days'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_organiser_vat_mode'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_organiser_vat_rate'), type_='check')

    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_payment_attempt_id'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_payment_kind'), type_='check')

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_pool_waited'), type_='check')

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_workshop_organiser_id_policy_id_policy'), type_='foreignkey')
        batch_op.drop_column('waiting_first_come_hours')
        batch_op.drop_column('waiting_hours')
        batch_op.drop_column('waiting_at_once')
        batch_op.drop_column('policy_id')

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.drop_column('waited')

    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payment_card'))
        batch_op.alter_column('attempt_id',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.drop_column('card')
        batch_op.drop_column('reference')
        batch_op.drop_column('kind')

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_column('invoice_days')
        batch_op.drop_column('bank_details')
        batch_op.drop_column('vat_rate')
        batch_op.drop_column('vat_number')
        batch_op.drop_column('vat_mode')
        batch_op.drop_column('legal_name')

    with op.batch_alter_table('discount_code', schema=None) as batch_op:
        batch_op.drop_column('bundles')

    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.alter_column('attendee_id',
               existing_type=sa.INTEGER(),
               nullable=False)

    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_booking_organiser_id_bundle_id_bundle'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_booking_bundle_id'))
        batch_op.drop_column('bundle_id')

    with op.batch_alter_table('attendee_place', schema=None) as batch_op:
        batch_op.drop_column('resold_at')
        batch_op.drop_column('given_back_at')

    with op.batch_alter_table('attendee', schema=None) as batch_op:
        batch_op.drop_column('added_at')

    with op.batch_alter_table('offered_place', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_offered_place_waiting_person_id'))
        batch_op.drop_index(batch_op.f('ix_offered_place_organiser_id'))

    op.drop_table('offered_place')
    with op.batch_alter_table('new_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_new_address_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_new_address_booking_id'))

    op.drop_table('new_address')
    with op.batch_alter_table('waiting_person', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_waiting_person_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_person_booking_id'))

    op.drop_table('waiting_person')
    with op.batch_alter_table('instalment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_instalment_organiser_id'))
        batch_op.drop_index('ix_instalment_open')
        batch_op.drop_index(batch_op.f('ix_instalment_bill_id'))

    op.drop_table('instalment')
    with op.batch_alter_table('bundle_ticket', schema=None) as batch_op:
        batch_op.drop_index('ix_bundle_ticket_ticket_type_id')

    op.drop_table('bundle_ticket')
    with op.batch_alter_table('invoice_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoice_file_organiser_id'))

    op.drop_table('invoice_file')
    with op.batch_alter_table('payer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payer_organiser_id'))

    op.drop_table('payer')
    with op.batch_alter_table('invoice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoice_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_invoice_bill_id'))

    op.drop_table('invoice')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP FUNCTION invoice_is_kept()')
    with op.batch_alter_table('bundle_price', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bundle_price_organiser_id'))

    op.drop_table('bundle_price')
    with op.batch_alter_table('invoice_series', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoice_series_organiser_id'))

    op.drop_table('invoice_series')
    with op.batch_alter_table('bundle', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bundle_organiser_id'))

    op.drop_table('bundle')
