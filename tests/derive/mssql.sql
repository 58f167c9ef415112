CREATE TABLE [user_profile] (
  [user_profile_id] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [first_name] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [last_name] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_user_profile PRIMARY KEY ([user_profile_id]),
  CONSTRAINT ck_user_profile_user_profile_id_length CHECK (LEN([user_profile_id] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_profile_first_name_length CHECK (LEN([first_name] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_profile_last_name_length CHECK (LEN([last_name] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_profile_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_profile_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_user_profile_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128)
);

execute sp_addextendedproperty 'MS_Description', N'Who a borrower is.', 'schema', dbo, 'table', [user_profile];

CREATE TABLE [user] (
  [user_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [user_profile_id] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_user PRIMARY KEY ([user_id]),
  CONSTRAINT ck_user_user_profile_id_length CHECK (LEN([user_profile_id] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_user_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_user_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT fk_user_user_profile_id FOREIGN KEY([user_profile_id]) REFERENCES [user_profile] ([user_profile_id]),
  CONSTRAINT uq_user UNIQUE ([user_profile_id])
);

execute sp_addextendedproperty 'MS_Description', N'A borrower as a user of the new system.', 'schema', dbo, 'table', [user];

CREATE TABLE [role_profile_type] (
  [role_profile_type_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [type] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_role_profile_type PRIMARY KEY ([role_profile_type_id]),
  CONSTRAINT ck_role_profile_type_type_length CHECK (LEN([type] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_role_profile_type_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_role_profile_type_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_role_profile_type_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT uq_role_profile_type UNIQUE ([type])
);

execute sp_addextendedproperty 'MS_Description', N'The roles that a borrower can have.', 'schema', dbo, 'table', [role_profile_type];

CREATE TABLE [role_profile] (
  [role_profile_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [user_id] BIGINT NOT NULL,
  [role_profile_type_id] BIGINT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_role_profile PRIMARY KEY ([role_profile_id]),
  CONSTRAINT ck_role_profile_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_role_profile_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_role_profile_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT fk_role_profile_user_id FOREIGN KEY([user_id]) REFERENCES [user] ([user_id]),
  CONSTRAINT fk_role_profile_role_profile_type_id FOREIGN KEY([role_profile_type_id]) REFERENCES [role_profile_type] ([role_profile_type_id]),
  CONSTRAINT uq_role_profile UNIQUE ([user_id], [role_profile_type_id])
);

CREATE INDEX ix_role_profile_role_profile_type_id ON [role_profile] ([role_profile_type_id]);

execute sp_addextendedproperty 'MS_Description', N'A role of a user, or that a user has none; contacts belong to it.', 'schema', dbo, 'table', [role_profile];

CREATE TABLE [phone_number_type] (
  [phone_number_type_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [type] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_phone_number_type PRIMARY KEY ([phone_number_type_id]),
  CONSTRAINT ck_phone_number_type_type_length CHECK (LEN([type] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_phone_number_type_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_phone_number_type_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_phone_number_type_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT uq_phone_number_type UNIQUE ([type])
);

execute sp_addextendedproperty 'MS_Description', N'The kinds of phone numbers.', 'schema', dbo, 'table', [phone_number_type];

CREATE TABLE [phone_number] (
  [phone_number_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [role_profile_id] BIGINT NOT NULL,
  [phone_number_type_id] BIGINT NOT NULL,
  [value] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_phone_number PRIMARY KEY ([phone_number_id]),
  CONSTRAINT ck_phone_number_value_length CHECK (LEN([value] COLLATE Latin1_General_100_CI_AS_SC) <= 20),
  CONSTRAINT ck_phone_number_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_phone_number_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_phone_number_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT fk_phone_number_role_profile_id FOREIGN KEY([role_profile_id]) REFERENCES [role_profile] ([role_profile_id]),
  CONSTRAINT fk_phone_number_phone_number_type_id FOREIGN KEY([phone_number_type_id]) REFERENCES [phone_number_type] ([phone_number_type_id]),
  CONSTRAINT uq_phone_number UNIQUE ([role_profile_id], [phone_number_type_id])
);

CREATE INDEX ix_phone_number_phone_number_type_id ON [phone_number] ([phone_number_type_id]);

execute sp_addextendedproperty 'MS_Description', N'A phone number of a role profile.', 'schema', dbo, 'table', [phone_number];

CREATE TABLE [email_type] (
  [email_type_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [type] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_email_type PRIMARY KEY ([email_type_id]),
  CONSTRAINT ck_email_type_type_length CHECK (LEN([type] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_email_type_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_email_type_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_email_type_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT uq_email_type UNIQUE ([type])
);

execute sp_addextendedproperty 'MS_Description', N'The kinds of e-mail addresses.', 'schema', dbo, 'table', [email_type];

CREATE TABLE [email] (
  [email_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [role_profile_id] BIGINT NOT NULL,
  [email_type_id] BIGINT NOT NULL,
  [value] NVARCHAR(508) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_email PRIMARY KEY ([email_id]),
  CONSTRAINT ck_email_value_length CHECK (LEN([value] COLLATE Latin1_General_100_CI_AS_SC) <= 254),
  CONSTRAINT ck_email_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_email_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_email_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT fk_email_role_profile_id FOREIGN KEY([role_profile_id]) REFERENCES [role_profile] ([role_profile_id]),
  CONSTRAINT fk_email_email_type_id FOREIGN KEY([email_type_id]) REFERENCES [email_type] ([email_type_id]),
  CONSTRAINT uq_email UNIQUE ([role_profile_id], [email_type_id])
);

CREATE INDEX ix_email_email_type_id ON [email] ([email_type_id]);

execute sp_addextendedproperty 'MS_Description', N'An e-mail address of a role profile.', 'schema', dbo, 'table', [email];

CREATE TABLE [address] (
  [address_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [role_profile_id] BIGINT NOT NULL,
  [street] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  [city] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [state] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [zip_code] NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_address PRIMARY KEY ([address_id]),
  CONSTRAINT ck_address_street_present CHECK ([street] <> ''),
  CONSTRAINT ck_address_street_length CHECK (LEN([street] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_address_city_length CHECK (LEN([city] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_address_state_length CHECK (LEN([state] COLLATE Latin1_General_100_CI_AS_SC) <= 64),
  CONSTRAINT ck_address_zip_code_length CHECK (LEN([zip_code] COLLATE Latin1_General_100_CI_AS_SC) <= 32),
  CONSTRAINT ck_address_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_address_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_address_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT fk_address_role_profile_id FOREIGN KEY([role_profile_id]) REFERENCES [role_profile] ([role_profile_id]),
  CONSTRAINT uq_address UNIQUE ([role_profile_id])
);

execute sp_addextendedproperty 'MS_Description', N'The address of a role profile.', 'schema', dbo, 'table', [address];

CREATE TABLE [aspen_etl_load] (
  [id] BIGINT NOT NULL,
  [version] BIGINT NULL,
  [token] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [model] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [library] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_aspen_etl_load PRIMARY KEY ([id]),
  CONSTRAINT ck_aspen_etl_load_one_row CHECK ([id] = 1)
);

execute sp_addextendedproperty 'MS_Description', N'Which commit of which store the tables hold.', 'schema', dbo, 'table', [aspen_etl_load];

execute sp_addextendedproperty 'MS_Description', N'always 1: the table has one row', 'schema', dbo, 'table', [aspen_etl_load], 'column', [id];

execute sp_addextendedproperty 'MS_Description', N'the commit that the tables hold; null after a load of frames', 'schema', dbo, 'table', [aspen_etl_load], 'column', [version];

execute sp_addextendedproperty 'MS_Description', N'the commit''s own token, which no other store has', 'schema', dbo, 'table', [aspen_etl_load], 'column', [token];

execute sp_addextendedproperty 'MS_Description', N'the tables of the model, as JSON', 'schema', dbo, 'table', [aspen_etl_load], 'column', [model];

execute sp_addextendedproperty 'MS_Description', N'the version of aspen_etl that loaded', 'schema', dbo, 'table', [aspen_etl_load], 'column', [library];
