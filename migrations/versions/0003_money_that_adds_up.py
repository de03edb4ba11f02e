"""Money that adds up.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-25 08:48:17.095888
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


KEPT = "a movement of the ledger is never changed; write another one"
GUARDS = {
    'sqlite': (
        f"CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement BEGIN SELECT RAISE(ABORT, '{KEPT}'); END",
        f"CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement BEGIN SELECT RAISE(ABORT, '{KEPT}'); END",
    ),
    'postgresql': (
        "CREATE OR REPLACE FUNCTION movement_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{KEPT}'; END $$",
        "CREATE TRIGGER movement_is_kept BEFORE UPDATE OR DELETE ON movement "
        "FOR EACH ROW EXECUTE FUNCTION movement_is_kept()",
    ),
}
MOVEMENT = sa.table(
    'movement',
    *map(sa.column, ('organiser_id', 'bill_id', 'kind', 'minor', 'currency', 'about', 'note', 'key')),
    sa.column('at', sa.DateTime(timezone=True)),
)


def upgrade():
    op.create_table('newsletter_placement',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=True),
    sa.Column('lasts_days', sa.Integer(), nullable=True),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('lasts_days >= 1', name=op.f('ck_newsletter_placement_lasts_days')),
    sa.CheckConstraint('percent BETWEEN 1 AND 100', name=op.f('ck_newsletter_placement_percent')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_newsletter_placement_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_newsletter_placement')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_newsletter_placement_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'name', name=op.f('uq_newsletter_placement_organiser_id_name'))
    )
    with op.batch_alter_table('newsletter_placement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_newsletter_placement_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('policy',
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_policy_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_policy_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'name', 'version', name=op.f('uq_policy_organiser_id_name_version'))
    )
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_policy_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index('uq_policy_default', ['organiser_id'], unique=True, sqlite_where=sa.text('is_default'), postgresql_where=sa.text('is_default'))

    op.create_table('credit',
    sa.Column('person', sa.String(length=254), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('minor', sa.BigInteger(), nullable=False),
    sa.Column('source_bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('minor > 0', name=op.f('ck_credit_minor')),
    sa.ForeignKeyConstraint(['organiser_id', 'source_bill_id'], ['bill.organiser_id', 'bill.id'], name=op.f('fk_credit_organiser_id_source_bill_id_bill')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_credit_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credit')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_credit_organiser_id_id')
    )
    with op.batch_alter_table('credit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_credit_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index('ix_credit_person', ['organiser_id', 'person', 'currency'], unique=False)
        batch_op.create_index(batch_op.f('ix_credit_source_bill_id'), ['source_bill_id'], unique=False)

    op.create_table('subscriber',
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('person', sa.String(length=254), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('placement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('link_version', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'subscribed', 'left')", name=op.f('ck_subscriber_state')),
    sa.ForeignKeyConstraint(['organiser_id', 'code_id'], ['discount_code.organiser_id', 'discount_code.id'], name=op.f('fk_subscriber_organiser_id_code_id_discount_code')),
    sa.ForeignKeyConstraint(['organiser_id', 'placement_id'], ['newsletter_placement.organiser_id', 'newsletter_placement.id'], name=op.f('fk_subscriber_organiser_id_placement_id_newsletter_placement')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_subscriber_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber')),
    sa.UniqueConstraint('organiser_id', 'email', name=op.f('uq_subscriber_organiser_id_email')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_subscriber_organiser_id_id')
    )
    with op.batch_alter_table('subscriber', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_subscriber_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index('ix_subscriber_person', ['organiser_id', 'person'], unique=False)

    op.create_table('movement',
    sa.Column('bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('credit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('about', sa.String(length=80), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(kind IN ('charge', 'payment', 'refund_failed', 'credit_spent', 'dispute_reinstated', 'credit_expired') AND minor > 0) OR (kind IN ('reduction', 'write_off', 'refund', 'credit_issued', 'credit_returned', 'dispute_withdrawn') AND minor < 0)", name=op.f('ck_movement_minor')),
    sa.CheckConstraint("(kind LIKE 'credit%') = (credit_id IS NOT NULL)", name=op.f('ck_movement_credit_id')),
    sa.ForeignKeyConstraint(['organiser_id', 'bill_id'], ['bill.organiser_id', 'bill.id'], name=op.f('fk_movement_organiser_id_bill_id_bill')),
    sa.ForeignKeyConstraint(['organiser_id', 'credit_id'], ['credit.organiser_id', 'credit.id'], name=op.f('fk_movement_organiser_id_credit_id_credit')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_movement_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_movement')),
    sa.UniqueConstraint('key', name=op.f('uq_movement_key')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_movement_organiser_id_id')
    )
    with op.batch_alter_table('movement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_movement_bill_id'), ['bill_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_movement_credit_id'), ['credit_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_movement_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('dispute',
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('stripe_dispute', sa.String(length=120), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=80), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('answer_by', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("state IN ('inquiry', 'open', 'won', 'lost', 'withdrawn')", name=op.f('ck_dispute_state')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_dispute_amount_minor')),
    sa.ForeignKeyConstraint(['organiser_id', 'payment_id'], ['payment.organiser_id', 'payment.id'], name=op.f('fk_dispute_organiser_id_payment_id_payment')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_dispute_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_dispute_organiser_id_id'),
    sa.UniqueConstraint('stripe_dispute', name=op.f('uq_dispute_stripe_dispute'))
    )
    with op.batch_alter_table('dispute', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dispute_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_dispute_payment_id'), ['payment_id'], unique=False)

    op.create_table('attendee_extra',
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ticket_type_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('price_minor', sa.BigInteger(), nullable=False),
    sa.Column('discount_minor', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_attendee_extra_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'ticket_type_id'], ['ticket_type.organiser_id', 'ticket_type.id'], name=op.f('fk_attendee_extra_organiser_id_ticket_type_id_ticket_type')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_attendee_extra_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendee_extra')),
    sa.UniqueConstraint('attendee_id', 'ticket_type_id', name=op.f('uq_attendee_extra_attendee_id_ticket_type_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_attendee_extra_organiser_id_id')
    )
    with op.batch_alter_table('attendee_extra', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendee_extra_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('change',
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('due_minor', sa.BigInteger(), nullable=False),
    sa.Column('refund_minor', sa.BigInteger(), nullable=False),
    sa.Column('credit_minor', sa.BigInteger(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('why', sa.String(length=300), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(state = 'owing') = (held_until IS NOT NULL)", name=op.f('ck_change_held_until')),
    sa.CheckConstraint("kind IN ('cancel', 'substitute', 'transfer')", name=op.f('ck_change_kind')),
    sa.CheckConstraint("state IN ('owing', 'pending', 'done', 'lapsed')", name=op.f('ck_change_state')),
    sa.ForeignKeyConstraint(['organiser_id', 'attempt_id'], ['payment_attempt.organiser_id', 'payment_attempt.id'], name=op.f('fk_change_organiser_id_attempt_id_payment_attempt')),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_change_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'booking_id'], ['booking.organiser_id', 'booking.id'], name=op.f('fk_change_organiser_id_booking_id_booking')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_change_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change')),
    sa.UniqueConstraint('attempt_id', name=op.f('uq_change_attempt_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_change_organiser_id_id')
    )
    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_change_attendee_id'), ['attendee_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_booking_id'), ['booking_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_organiser_id'), ['organiser_id'], unique=False)

    with op.batch_alter_table('attendee', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proof', sa.String(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('proof_checked_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.add_column(sa.Column('policy', sa.JSON(), nullable=False, server_default='{}'))

    with op.batch_alter_table('discount_code', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=10), nullable=False, server_default='percent'))
        batch_op.add_column(sa.Column('minor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('currency', sa.String(length=3), nullable=True))
        batch_op.add_column(sa.Column('workshops', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('courses', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('topics', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('full_price_only', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('first_online_only', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('covers', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('least_people', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('re_rate_on_cancellation', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('least_order_minor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('budget_minor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('stacks', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('is_automatic', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('person', sa.String(length=254), nullable=True))
        batch_op.alter_column('percent',
               existing_type=sa.INTEGER(),
               nullable=True)

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.add_column(sa.Column('holds_for_bank', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column('dispute_bars', sa.Boolean(), nullable=False, server_default=sa.true()))

    with op.batch_alter_table('place', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_reserve', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reserved', sa.Integer(), nullable=False, server_default='0'))

    with op.batch_alter_table('redemption', schema=None) as batch_op:
        batch_op.add_column(sa.Column('minor', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('currency', sa.String(length=3), nullable=True))

    with op.batch_alter_table('refund', schema=None) as batch_op:
        batch_op.add_column(sa.Column('shares', sa.JSON(), nullable=False, server_default='{}'))

    with op.batch_alter_table('ticket_type', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_in_room', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('least_people', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('most_people', sa.Integer(), nullable=True))

    # Rows that are there got their value above; from here on the application says it.
    with op.batch_alter_table('attendee', schema=None) as batch_op:
        batch_op.alter_column('proof', server_default=None)

    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.alter_column('policy', server_default=None)

    with op.batch_alter_table('discount_code', schema=None) as batch_op:
        batch_op.alter_column('kind', server_default=None)
        batch_op.alter_column('full_price_only', server_default=None)
        batch_op.alter_column('first_online_only', server_default=None)
        batch_op.alter_column('least_people', server_default=None)
        batch_op.alter_column('re_rate_on_cancellation', server_default=None)
        batch_op.alter_column('stacks', server_default=None)
        batch_op.alter_column('is_automatic', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_kind'), "kind IN ('percent', 'amount', 'fixed')")
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_minor'), "minor >= 0")
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_percent_of'), "(kind = 'percent') = (percent IS NOT NULL)")
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_minor_of'), "(kind = 'percent') = (minor IS NULL)")
        batch_op.create_check_constraint(
            batch_op.f('ck_discount_code_currency'),
            "currency IS NOT NULL OR (minor IS NULL AND least_order_minor IS NULL AND budget_minor IS NULL)",
        )
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_covers'), "covers >= 1")
        batch_op.create_check_constraint(batch_op.f('ck_discount_code_least_people'), "least_people >= 1")

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.alter_column('holds_for_bank', server_default=None)
        batch_op.alter_column('dispute_bars', server_default=None)

    with op.batch_alter_table('place', schema=None) as batch_op:
        batch_op.alter_column('is_reserve', server_default=None)

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.alter_column('reserved', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_pool_reserved'), "reserved BETWEEN 0 AND capacity")

    with op.batch_alter_table('redemption', schema=None) as batch_op:
        batch_op.alter_column('minor', server_default=None)

    with op.batch_alter_table('refund', schema=None) as batch_op:
        batch_op.alter_column('shares', server_default=None)

    with op.batch_alter_table('ticket_type', schema=None) as batch_op:
        batch_op.alter_column('is_in_room', server_default=None)
        batch_op.alter_column('least_people', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_ticket_type_least_people'), "least_people >= 1")
        batch_op.create_check_constraint(batch_op.f('ck_ticket_type_most_people'), "most_people >= least_people")

    with op.batch_alter_table('ticket_price', schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f('ck_ticket_price_least_minor'), 'least_minor >= 0 AND least_minor <= suggested_minor'
        )
        batch_op.create_check_constraint(batch_op.f('ck_ticket_price_most_minor'), 'suggested_minor <= most_minor')

    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    _fold_codes()
    _count_what_codes_took()
    _write_ledger()


def _fold_codes():
    """Look-alikes are one code now. Where that name is another code's already, a code keeps what it had."""
    code = sa.table('discount_code', *map(sa.column, ('id', 'organiser_id', 'code', 'folded')))
    rows = op.get_bind().execute(sa.select(code).order_by(code.c.id)).all()
    taken = {(row.organiser_id, row.folded) for row in rows}
    for row in rows:
        own = (row.organiser_id, _fold(row.code))
        if own not in taken:
            taken.add(own)
            op.execute(sa.update(code).where(code.c.id == row.id).values(folded=own[1]))


def _fold(text):
    wide = unicodedata.normalize('NFKC', text).upper()
    return ''.join(each for each in wide if each.isalnum()).translate(str.maketrans("OIL", "011"))


def _count_what_codes_took():
    """A booking had one code at most, and nothing else took anything off."""
    op.execute(
        "UPDATE redemption SET currency = (SELECT currency FROM booking WHERE booking.id = redemption.booking_id), "
        "minor = (SELECT coalesce(sum(discount_minor), 0) FROM attendee "
        "WHERE attendee.booking_id = redemption.booking_id)"
    )


def _write_ledger():
    """What payments and refunds of before come to, as movements: what came and went back, and what is owed."""
    bind = op.get_bind()
    rows = bind.execute(
        sa.text(
            "SELECT bill.id AS bill, bill.organiser_id AS organiser, bill.currency AS currency, "
            "bill.total_minor AS total, bill.created_at AS at, booking.state AS state "
            "FROM bill JOIN booking ON booking.bill_id = bill.id ORDER BY bill.id"
        ).columns(at=sa.DateTime(timezone=True))
    ).all()
    for row in rows:
        payments = bind.execute(
            sa.text(
                "SELECT id, amount_minor AS minor, at FROM payment WHERE bill_id = :bill AND state = 'succeeded' ORDER BY id"
            ).columns(at=sa.DateTime(timezone=True)),
            {'bill': row.bill},
        ).all()
        counts = row.state in ('confirmed', 'awaiting_bank', 'awaiting_invoice') or (
            row.state == 'cancelled' and payments
        )
        kept = owed = 0
        if counts and row.total:
            _movement(row, 'charge', row.total, f'bill:{row.bill}', row.at)
            owed = row.total
        for payment in payments:
            about = f'payment:{payment.id}'
            _movement(row, 'payment', payment.minor, about, payment.at, key=about)
            kept += payment.minor
        refunds = bind.execute(
            sa.text(
                "SELECT refund.id AS id, refund.amount_minor AS minor, refund.state AS state, refund.reason AS reason, "
                "refund.created_at AS at FROM refund JOIN payment ON payment.id = refund.payment_id "
                "WHERE payment.bill_id = :bill ORDER BY refund.id"
            ).columns(at=sa.DateTime(timezone=True)),
            {'bill': row.bill},
        ).all()
        for refund in refunds:
            about = f'refund:{refund.id}'
            _movement(row, 'refund', -refund.minor, about, refund.at, note=refund.reason, key=about)
            kept -= refund.minor
            if forgiven := min(refund.minor, max(owed - kept, 0)):
                _movement(row, 'reduction', -forgiven, about, refund.at, note=refund.reason)
                owed -= forgiven
            if refund.state == 'failed':
                _movement(row, 'refund_failed', refund.minor, about, refund.at, key=f'failed-{about}')
                kept += refund.minor
        if row.state == 'cancelled' and owed > kept:
            _movement(row, 'reduction', kept - owed, f'bill:{row.bill}', row.at)


def _movement(row, kind, minor, about, at, note='', key=None):
    op.get_bind().execute(
        MOVEMENT.insert().values(
            organiser_id=row.organiser,
            bill_id=row.bill,
            kind=kind,
            minor=minor,
            currency=row.currency,
            about=about,
            note=note[:200],
            key=key,
            at=at,
        )
    )


def downgrade():
    # SQLite keeps a CHECK whose column goes, and then stumbles over it.
    for table, checks in {
        'ticket_price': ('least_minor', 'most_minor'),
        'ticket_type': ('least_people', 'most_people'),
        'pool': ('reserved',),
        'discount_code': ('kind', 'minor', 'percent_of', 'minor_of', 'currency', 'covers', 'least_people'),
    }.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for check in checks:
                batch_op.drop_constraint(batch_op.f(f'ck_{table}_{check}'), type_='check')

    with op.batch_alter_table('ticket_type', schema=None) as batch_op:
        batch_op.drop_column('most_people')
        batch_op.drop_column('least_people')
        batch_op.drop_column('is_in_room')

    with op.batch_alter_table('refund', schema=None) as batch_op:
        batch_op.drop_column('shares')

    with op.batch_alter_table('redemption', schema=None) as batch_op:
        batch_op.drop_column('currency')
        batch_op.drop_column('minor')

    with op.batch_alter_table('pool', schema=None) as batch_op:
        batch_op.drop_column('reserved')

    with op.batch_alter_table('place', schema=None) as batch_op:
        batch_op.drop_column('is_reserve')

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_column('dispute_bars')
        batch_op.drop_column('holds_for_bank')

    with op.batch_alter_table('discount_code', schema=None) as batch_op:
        batch_op.alter_column('percent',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.drop_column('person')
        batch_op.drop_column('is_automatic')
        batch_op.drop_column('stacks')
        batch_op.drop_column('budget_minor')
        batch_op.drop_column('least_order_minor')
        batch_op.drop_column('re_rate_on_cancellation')
        batch_op.drop_column('least_people')
        batch_op.drop_column('covers')
        batch_op.drop_column('first_online_only')
        batch_op.drop_column('full_price_only')
        batch_op.drop_column('topics')
        batch_op.drop_column('courses')
        batch_op.drop_column('workshops')
        batch_op.drop_column('currency')
        batch_op.drop_column('minor')
        batch_op.drop_column('kind')

    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.drop_column('policy')

    with op.batch_alter_table('attendee', schema=None) as batch_op:
        batch_op.drop_column('proof_checked_at')
        batch_op.drop_column('proof')

    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_change_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_change_booking_id'))
        batch_op.drop_index(batch_op.f('ix_change_attendee_id'))

    op.drop_table('change')
    with op.batch_alter_table('attendee_extra', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendee_extra_organiser_id'))

    op.drop_table('attendee_extra')
    with op.batch_alter_table('dispute', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dispute_payment_id'))
        batch_op.drop_index(batch_op.f('ix_dispute_organiser_id'))

    op.drop_table('dispute')
    with op.batch_alter_table('movement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_movement_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_movement_credit_id'))
        batch_op.drop_index(batch_op.f('ix_movement_bill_id'))

    op.drop_table('movement')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP FUNCTION movement_is_kept()')
    with op.batch_alter_table('subscriber', schema=None) as batch_op:
        batch_op.drop_index('ix_subscriber_person')
        batch_op.drop_index(batch_op.f('ix_subscriber_organiser_id'))

    op.drop_table('subscriber')
    with op.batch_alter_table('credit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_credit_source_bill_id'))
        batch_op.drop_index('ix_credit_person')
        batch_op.drop_index(batch_op.f('ix_credit_organiser_id'))

    op.drop_table('credit')
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.drop_index('uq_policy_default', sqlite_where=sa.text('is_default'), postgresql_where=sa.text('is_default'))
        batch_op.drop_index(batch_op.f('ix_policy_organiser_id'))

    op.drop_table('policy')
    with op.batch_alter_table('newsletter_placement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_newsletter_placement_organiser_id'))

    op.drop_table('newsletter_placement')
