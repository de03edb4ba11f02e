"""Catch-up that simply plays.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-25 15:44:41.668549
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('zoom_account',
    sa.Column('account_id', sa.String(length=100), nullable=False),
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('client_secret', sa.Text(), nullable=False),
    sa.Column('webhook_secret', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_zoom_account_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_zoom_account')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_zoom_account_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', name=op.f('uq_zoom_account_organiser_id'))
    )
    with op.batch_alter_table('zoom_account', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_zoom_account_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('zoom_event',
    sa.Column('identity', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=80), nullable=False),
    sa.Column('told', sa.JSON(), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_zoom_event_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_zoom_event')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_zoom_event_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'identity', name=op.f('uq_zoom_event_organiser_id_identity'))
    )
    with op.batch_alter_table('zoom_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_zoom_event_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('handout',
    sa.Column('workshop_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('access', sa.String(length=16), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(access = 'until') = (until_at IS NOT NULL)", name=op.f('ck_handout_until_at')),
    sa.CheckConstraint("access IN ('with_recording', 'until', 'always')", name=op.f('ck_handout_access')),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_handout_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id', 'workshop_id'], ['workshop.organiser_id', 'workshop.id'], name=op.f('fk_handout_organiser_id_workshop_id_workshop')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_handout_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handout'))
    )
    with op.batch_alter_table('handout', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handout_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_handout_workshop_id'), ['workshop_id'], unique=False)

    op.create_table('upload',
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('length', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('source', sa.String(length=10), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('why', sa.String(length=300), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("source IN ('desk', 'zoom', 'store')", name=op.f('ck_upload_source')),
    sa.CheckConstraint("state <> 'arrived' OR (received = length AND key <> '')", name=op.f('ck_upload_arrived')),
    sa.CheckConstraint("state IN ('arriving', 'arrived', 'refused', 'gone')", name=op.f('ck_upload_state')),
    sa.CheckConstraint('length > 0 AND received >= 0 AND received <= length', name=op.f('ck_upload_received')),
    sa.CheckConstraint('position >= 1', name=op.f('ck_upload_position')),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_upload_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_upload_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_upload')),
    sa.UniqueConstraint('name', name=op.f('uq_upload_name')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_upload_organiser_id_id')
    )
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_upload_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_upload_session_id'), ['session_id'], unique=False)

    op.create_table('zoom_recording',
    sa.Column('uuid', sa.String(length=120), nullable=False),
    sa.Column('meeting_id', sa.String(length=20), nullable=False),
    sa.Column('topic', sa.String(length=200), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('why', sa.String(length=10), nullable=False),
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("(state = 'placed') = (session_id IS NOT NULL)", name=op.f('ck_zoom_recording_session_id')),
    sa.CheckConstraint("state IN ('waiting', 'placed', 'left')", name=op.f('ck_zoom_recording_state')),
    sa.ForeignKeyConstraint(['organiser_id', 'session_id'], ['workshop_session.organiser_id', 'workshop_session.id'], name=op.f('fk_zoom_recording_organiser_id_session_id_workshop_session')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_zoom_recording_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_zoom_recording')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_zoom_recording_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'uuid', name=op.f('uq_zoom_recording_organiser_id_uuid'))
    )
    with op.batch_alter_table('zoom_recording', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_zoom_recording_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('note',
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('recording_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('at >= 0', name=op.f('ck_note_at')),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_note_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id', 'recording_id'], ['recording.organiser_id', 'recording.id'], name=op.f('fk_note_organiser_id_recording_id_recording')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_note_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note'))
    )
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_note_attendee_id_recording_id'), ['attendee_id', 'recording_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_note_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('outage',
    sa.Column('recording_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('hours', sa.Integer(), nullable=True),
    sa.Column('why', sa.String(length=300), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('(ended_at IS NULL) = (hours IS NULL)', name=op.f('ck_outage_hours')),
    sa.CheckConstraint('ended_at > began_at', name=op.f('ck_outage_ended_at')),
    sa.ForeignKeyConstraint(['organiser_id', 'recording_id'], ['recording.organiser_id', 'recording.id'], name=op.f('fk_outage_organiser_id_recording_id_recording')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_outage_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outage')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_outage_organiser_id_id')
    )
    with op.batch_alter_table('outage', schema=None) as batch_op:
        batch_op.create_index('ix_outage_open', ['recording_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_outage_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index('ix_outage_recording_id', ['recording_id', 'began_at'], unique=False)

    op.create_table('recording_part',
    sa.Column('recording_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('upload_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('file', sa.String(length=80), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('position >= 0', name=op.f('ck_recording_part_position')),
    sa.ForeignKeyConstraint(['organiser_id', 'recording_id'], ['recording.organiser_id', 'recording.id'], name=op.f('fk_recording_part_organiser_id_recording_id_recording')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_recording_part_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_part')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_recording_part_organiser_id_id'),
    sa.UniqueConstraint('upload_id', name=op.f('uq_recording_part_upload_id'))
    )
    with op.batch_alter_table('recording_part', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recording_part_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('sitting',
    sa.Column('attendee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tab', sa.String(length=40), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'attendee_id'], ['attendee.organiser_id', 'attendee.id'], name=op.f('fk_sitting_organiser_id_attendee_id_attendee')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_sitting_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting')),
    sa.UniqueConstraint('attendee_id', name=op.f('uq_sitting_attendee_id')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_sitting_organiser_id_id')
    )
    with op.batch_alter_table('sitting', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sitting_organiser_id'), ['organiser_id'], unique=False)

    op.create_table('zoom_file',
    sa.Column('zoom_recording_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('zoom_id', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('token_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('etag', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('why', sa.String(length=300), nullable=False),
    sa.Column('upload_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("kind IN ('film', 'transcript')", name=op.f('ck_zoom_file_kind')),
    sa.CheckConstraint("state IN ('listed', 'fetching', 'fetched', 'failed')", name=op.f('ck_zoom_file_state')),
    sa.ForeignKeyConstraint(['organiser_id', 'zoom_recording_id'], ['zoom_recording.organiser_id', 'zoom_recording.id'], name=op.f('fk_zoom_file_organiser_id_zoom_recording_id_zoom_recording')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_zoom_file_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_zoom_file')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_zoom_file_organiser_id_id'),
    sa.UniqueConstraint('organiser_id', 'zoom_id', name=op.f('uq_zoom_file_organiser_id_zoom_id'))
    )
    with op.batch_alter_table('zoom_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_zoom_file_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_zoom_file_zoom_recording_id'), ['zoom_recording_id'], unique=False)

    op.create_table('growth',
    sa.Column('outage_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('window_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('before', sa.DateTime(timezone=True), nullable=False),
    sa.Column('after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organiser_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id', 'outage_id'], ['outage.organiser_id', 'outage.id'], name=op.f('fk_growth_organiser_id_outage_id_outage')),
    sa.ForeignKeyConstraint(['organiser_id', 'window_id'], ['access_window.organiser_id', 'access_window.id'], name=op.f('fk_growth_organiser_id_window_id_access_window')),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_growth_organiser_id_organiser')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_growth')),
    sa.UniqueConstraint('organiser_id', 'id', name='uq_growth_organiser_id_id'),
    sa.UniqueConstraint('outage_id', 'window_id', name=op.f('uq_growth_outage_id_window_id'))
    )
    with op.batch_alter_table('growth', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_growth_organiser_id'), ['organiser_id'], unique=False)
        batch_op.create_index('ix_growth_window_id', ['window_id'], unique=False)

    with op.batch_alter_table('access_window', schema=None) as batch_op:
        batch_op.add_column(sa.Column('extended_why', sa.String(length=300), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('paused_why', sa.String(length=300), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('told_week', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('told_day', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_access_window_closes_at', ['closes_at'], unique=False)
        batch_op.create_index('ix_access_window_recording_id', ['recording_id', 'closes_at'], unique=False)

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.add_column(sa.Column('originals_days', sa.Integer(), nullable=False, server_default='30'))

    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.add_column(sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('small', sa.String(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('poster', sa.String(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('chapters', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('kept', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('making', sa.String(length=8), nullable=False, server_default='ready'))
        batch_op.add_column(sa.Column('turn', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('made_percent', sa.Integer(), nullable=False, server_default='100'))
        batch_op.add_column(sa.Column('problem', sa.String(length=500), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('whole', sa.String(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('whole_seconds', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('trim_from', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('trim_to', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('cuts', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('marks', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('draft', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('reviewed_by', sa.String(length=40), nullable=False, server_default=''))

    with op.batch_alter_table('viewing', schema=None) as batch_op:
        batch_op.add_column(sa.Column('position', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('tabs', sa.JSON(), nullable=False, server_default='{}'))

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.add_column(sa.Column('one_at_a_time', sa.Boolean(), nullable=False, server_default=sa.false()))

    # Rows that are there got their value above; from here on the application says it.
    with op.batch_alter_table('access_window', schema=None) as batch_op:
        batch_op.alter_column('extended_why', server_default=None)
        batch_op.alter_column('paused_why', server_default=None)

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.alter_column('originals_days', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_organiser_originals_days'), 'originals_days BETWEEN 0 AND 3650')

    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.alter_column('small', server_default=None)
        batch_op.alter_column('poster', server_default=None)
        batch_op.alter_column('chapters', server_default=None)
        batch_op.alter_column('kept', server_default=None)
        batch_op.alter_column('making', server_default=None)
        batch_op.alter_column('turn', server_default=None)
        batch_op.alter_column('made_percent', server_default=None)
        batch_op.alter_column('problem', server_default=None)
        batch_op.alter_column('whole', server_default=None)
        batch_op.alter_column('whole_seconds', server_default=None)
        batch_op.alter_column('trim_from', server_default=None)
        batch_op.alter_column('cuts', server_default=None)
        batch_op.alter_column('marks', server_default=None)
        batch_op.alter_column('draft', server_default=None)
        batch_op.alter_column('reviewed_by', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_recording_made_percent'), 'made_percent BETWEEN 0 AND 100')
        batch_op.create_check_constraint(batch_op.f('ck_recording_making'), "making IN ('waiting', 'looking', 'making', 'ready', 'failed')")

    with op.batch_alter_table('viewing', schema=None) as batch_op:
        batch_op.alter_column('position', server_default=None)
        batch_op.alter_column('tabs', server_default=None)

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.alter_column('one_at_a_time', server_default=None)

    # Whatever was published was looked at by whoever published it.
    op.execute("UPDATE recording SET reviewed_at = published_at WHERE published_at IS NOT NULL")


def downgrade():
    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_organiser_originals_days'), type_='check')

    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_recording_made_percent'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_recording_making'), type_='check')

    with op.batch_alter_table('workshop', schema=None) as batch_op:
        batch_op.drop_column('one_at_a_time')

    with op.batch_alter_table('viewing', schema=None) as batch_op:
        batch_op.drop_column('tabs')
        batch_op.drop_column('position')

    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_column('reviewed_by')
        batch_op.drop_column('reviewed_at')
        batch_op.drop_column('draft')
        batch_op.drop_column('marks')
        batch_op.drop_column('cuts')
        batch_op.drop_column('trim_to')
        batch_op.drop_column('trim_from')
        batch_op.drop_column('whole_seconds')
        batch_op.drop_column('whole')
        batch_op.drop_column('problem')
        batch_op.drop_column('made_percent')
        batch_op.drop_column('turn')
        batch_op.drop_column('making')
        batch_op.drop_column('kept')
        batch_op.drop_column('chapters')
        batch_op.drop_column('poster')
        batch_op.drop_column('small')
        batch_op.drop_column('paused_at')

    with op.batch_alter_table('organiser', schema=None) as batch_op:
        batch_op.drop_column('originals_days')

    with op.batch_alter_table('access_window', schema=None) as batch_op:
        batch_op.drop_index('ix_access_window_recording_id')
        batch_op.drop_index('ix_access_window_closes_at')
        batch_op.drop_column('told_day')
        batch_op.drop_column('told_week')
        batch_op.drop_column('paused_why')
        batch_op.drop_column('paused_at')
        batch_op.drop_column('extended_why')

    with op.batch_alter_table('growth', schema=None) as batch_op:
        batch_op.drop_index('ix_growth_window_id')
        batch_op.drop_index(batch_op.f('ix_growth_organiser_id'))

    op.drop_table('growth')
    with op.batch_alter_table('zoom_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_zoom_file_zoom_recording_id'))
        batch_op.drop_index(batch_op.f('ix_zoom_file_organiser_id'))

    op.drop_table('zoom_file')
    with op.batch_alter_table('sitting', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sitting_organiser_id'))

    op.drop_table('sitting')
    with op.batch_alter_table('recording_part', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recording_part_organiser_id'))

    op.drop_table('recording_part')
    with op.batch_alter_table('outage', schema=None) as batch_op:
        batch_op.drop_index('ix_outage_recording_id')
        batch_op.drop_index(batch_op.f('ix_outage_organiser_id'))
        batch_op.drop_index('ix_outage_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.drop_table('outage')
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_note_organiser_id'))
        batch_op.drop_index(batch_op.f('ix_note_attendee_id_recording_id'))

    op.drop_table('note')
    with op.batch_alter_table('zoom_recording', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_zoom_recording_organiser_id'))

    op.drop_table('zoom_recording')
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_upload_session_id'))
        batch_op.drop_index(batch_op.f('ix_upload_organiser_id'))

    op.drop_table('upload')
    with op.batch_alter_table('handout', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_handout_workshop_id'))
        batch_op.drop_index(batch_op.f('ix_handout_organiser_id'))

    op.drop_table('handout')
    with op.batch_alter_table('zoom_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_zoom_event_organiser_id'))

    op.drop_table('zoom_event')
    with op.batch_alter_table('zoom_account', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_zoom_account_organiser_id'))

    op.drop_table('zoom_account')
