"""Joining, recordings and the desk.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-25 06:33:35.907860
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('paper',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=14), nullable=False),
    sa.Column('version', sa.String(length=20), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('terms', 'privacy', 'accessibility')", name=op.f('ck_paper_kind')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_paper_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper')),
    sa.UniqueConstraint('organiser_id', 'kind', 'version', name=op.f('uq_paper_organiser_id_kind_version'))
    )
    op.create_table('old_address',
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('slug', sa.String(length=140), nullable=False),
    sa.Column('course_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('workshop_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(kind = 'course') = (course_id IS NOT NULL)", name=op.f('ck_old_address_course_id')),
    sa.CheckConstraint("(kind = 'workshop') = (workshop_id IS NOT NULL)", name=op.f('ck_old_address_workshop_id')),
    sa.ForeignKeyConstraint(['organiser_id', 'course_id'], ['course.organiser_id', 'course.id'], name=op.f('fk_old_address_organiser_id_course_id_course')),
    sa.ForeignKeyConstraint(['organiser_id', 'workshop_id'], ['workshop.organiser_id', 'workshop.id'], name=op.f('fk_old_address_organiser_id_workshop_id_workshop')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_old_address_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_old_address')),
    sa.UniqueConstraint('kind', 'slug', name=op.f('uq_old_address_kind_slug')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_old_address_organiser_id_id')
    )
    with op.batch_alter_table('old_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_old_address_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('meeting_point',
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('phone_numbers', sa.Text(), nullable=False),
    sa.Column('passcode', sa.String(length=40), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_meeting_point_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_meeting_point_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting_point')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_meeting_point_organiser_id_id'),
    sa.UniqueConstraint('session_id', name=op.f('uq_meeting_point_session_id'))
    )
    with op.batch_alter_table('meeting_point', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_meeting_point_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('recording',
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('file', sa.String(length=80), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('content_type', sa.String(length=40), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('captions', sa.JSON(), nullable=False),
    sa.Column('left_out', sa.String(length=300), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(state = 'uploaded') = (published_at IS NULL)", name=op.f('ck_recording_published_at')),
    sa.CheckConstraint("state IN ('uploaded', 'published', 'withdrawn')", name=op.f('ck_recording_state')),
    sa.CheckConstraint('(published_at IS NULL) = (closes_at IS NULL)', name=op.f('ck_recording_closes_at')),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_recording_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_recording_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_recording_organiser_id_id'),
    sa.UniqueConstraint('session_id', name=op.f('uq_recording_session_id'))
    )
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recording_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('access_window',
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('recording_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('closes_at > opens_at', name=op.f('ck_access_window_closes_at')),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_access_window_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'recording_id'], ['recording.organiser_id', 'recording.id'], name=op.f('fk_access_window_organiser_id_recording_id_recording')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_access_window_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_access_window')),
    sa.UniqueConstraint('attendee_id', 'recording_id', name=op.f('uq_access_window_attendee_id_recording_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_access_window_organiser_id_id')
    )
    with op.batch_alter_table('access_window', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_access_window_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('joining',
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_joining_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_joining_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_joining_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_joining')),
    sa.UniqueConstraint('attendee_id', 'session_id', name=op.f('uq_joining_attendee_id_session_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_joining_organiser_id_id')
    )
    with op.batch_alter_table('joining', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_joining_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('viewing',
    sa.Column('window_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ranges', sa.JSON(), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'window_id'], ['access_window.organiser_id', 'access_window.id'], name=op.f('fk_viewing_organiser_id_window_id_access_window')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_viewing_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_viewing')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_viewing_organiser_id_id'),
    sa.UniqueConstraint('window_id', name=op.f('uq_viewing_window_id'))
    )
    with op.batch_alter_table('viewing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_viewing_organiser_id'), ['organiser_id'], unique=False)

    with op.batch_alter_table('course', schema=None) as batch_op:
        batch_op.add_column(sa.Column('audience', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('outcomes', sa.Text(), nullable=False, server_default=''))

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.add_column(sa.Column('about', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('phone', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('colour', sa.String(length=7), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('logo', sa.String(length=80), nullable=False, server_default=''))

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.add_column(sa.Column('late_buyers_share', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('programme', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('cancellation_terms', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('access', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('join_opens_minutes', sa.Integer(), nullable=False, server_default='30'))
        batch_op.add_column(sa.Column('reminders', sa.JSON(), nullable=False, server_default='[10080, 1440, 60]'))
        batch_op.add_column(sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('cancelled_why', sa.String(length=500), nullable=False, server_default=''))

    with op.batch_alter_table('workshop_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('watchable_from', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('watchable_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True))

    # Rows that are there got their value above; from here on the application says it.
    with op.batch_alter_table('course', schema=None) as batch_op:
        batch_op.alter_column('audience', server_default=None)
        batch_op.alter_column('outcomes', server_default=None)

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.alter_column('about', server_default=None)
        batch_op.alter_column('phone', server_default=None)
        batch_op.alter_column('colour', server_default=None)
        batch_op.alter_column('logo', server_default=None)

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.alter_column('late_buyers_share', server_default=None)
        batch_op.alter_column('programme', server_default=None)
        batch_op.alter_column('cancellation_terms', server_default=None)
        batch_op.alter_column('access', server_default=None)
        batch_op.alter_column('join_opens_minutes', server_default=None)
        batch_op.alter_column('reminders', server_default=None)
        batch_op.alter_column('cancelled_why', server_default=None)
        batch_op.alter_column(
            'venue_id',
            existing_type=sa.Integer(),
            type_=sa.BigInteger().with_variant(sa.Integer(), 'sqlite'),
        )


def downgrade():
    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.alter_column(
            'venue_id',
            existing_type=sa.BigInteger().with_variant(sa.Integer(), 'sqlite'),
            type_=sa.Integer(),
        )

    with op.batch_alter_table('workshop_session', schema=None) as batch_op:
        batch_op.drop_column('cancelled_at')
        batch_op.drop_column('watchable_until')
        batch_op.drop_column('watchable_from')

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.drop_column('cancelled_why')
        batch_op.drop_column('cancelled_at')
        batch_op.drop_column('reminders')
        batch_op.drop_column('join_opens_minutes')
        batch_op.drop_column('access')
        batch_op.drop_column('cancellation_terms')
        batch_op.drop_column('programme')
        batch_op.drop_column('late_buyers_share')

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_column('logo')
        batch_op.drop_column('colour')
        batch_op.drop_column('phone')
        batch_op.drop_column('about')

    with op.batch_alter_table('course', schema=None) as batch_op:
        batch_op.drop_column('outcomes')
        batch_op.drop_column('audience')

    with op.batch_alter_table('viewing', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_viewing_organiser_id'))

    op.drop_table('viewing')
    with op.batch_alter_table('joining', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_joining_organiser_id'))

    op.drop_table('joining')
    with op.batch_alter_table('access_window', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_access_window_organiser_id'))

    op.drop_table('access_window')
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recording_organiser_id'))

    op.drop_table('recording')
    with op.batch_alter_table('meeting_point', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_meeting_point_organiser_id'))

    op.drop_table('meeting_point')
    with op.batch_alter_table('old_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_old_address_organiser_id'))

    op.drop_table('old_address')
    op.drop_table('paper')
